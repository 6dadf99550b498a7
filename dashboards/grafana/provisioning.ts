import { dataSources } from './data-sources.ts';
import { type Language, languages } from './language.ts';

/** Files of Grafana's provisioning, by name. `$…` is taken from Grafana's environment. */

export const influxdbDataSource = {
  apiVersion: 1,
  datasources: [
    {
      ...{ name: 'Nhịp InfluxDB', ...dataSources.influx, access: 'proxy', url: '$NHIP_INFLUXDB_URL', user: '$NHIP_INFLUXDB_USER' },
      // No `version`: InfluxQL, which 1.x, 2.x and 3 answer. POST, because a query that names many machines is long.
      jsonData: { dbName: 'nhip', httpMode: 'POST', timeInterval: '1s' },
      secureJsonData: { password: '$NHIP_INFLUXDB_PASSWORD' },
      editable: false,
    },
  ],
};

export const prometheusDataSource = {
  apiVersion: 1,
  datasources: [
    {
      ...{ name: 'Nhịp Prometheus', ...dataSources.prometheus, access: 'proxy', url: '$NHIP_PROMETHEUS_URL' },
      jsonData: { httpMethod: 'POST', timeInterval: '15s' },
      editable: false,
    },
  ],
};

/** Where the folder `dashboards` is expected on the Grafana server. */
const dashboardFolder = '/etc/grafana/nhip/dashboards';

export const dashboardProviders = {
  apiVersion: 1,
  providers: languages.map((language: Language) => ({
    name: `nhip-${language}`,
    folder: { vi: 'Nhịp', en: 'Nhịp (English)' }[language],
    type: 'file',
    allowUiUpdates: false,
    disableDeletion: true,
    updateIntervalSeconds: 60,
    options: { path: `${dashboardFolder}/${language}` },
  })),
};

/** For Prometheus: what it scrapes, with a token of scope `metrics`. `nhip ingest --http-port` serves its own /metrics to anybody. */
export const prometheusConfig = {
  global: { scrape_interval: '15s' },
  scrape_configs: [
    {
      job_name: 'nhip',
      authorization: { credentials_file: '/etc/prometheus/nhip-token' },
      static_configs: [{ targets: ['127.0.0.1:8080'] }],
    },
  ],
};
