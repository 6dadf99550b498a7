/**
 * Writes the dashboards, provisioning files and alert rules into `generated`. `--check` writes nothing and exits with 1 when a file is not
 * current. For a factory of its own, with its lines and address:
 *
 *     npx tsx dashboards/grafana/generate.ts --plant plant.yaml --nhip-url http://10.0.0.5:8080 --out /etc/grafana/nhip
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { loadConfig } from '@nhip/core/process/config';
import { plantModel } from '@nhip/core/process/plant-config';
import { generatedFiles } from './generated-files.ts';
import { plantLines } from './plant-lines.ts';

const { values } = parseArgs({
  options: {
    check: { type: 'boolean', default: false },
    out: { type: 'string', default: join(import.meta.dirname, 'generated') },
    plant: { type: 'string' },
    'nhip-url': { type: 'string', default: 'http://localhost:8080' },
  },
});

const lines = values.plant === undefined ? undefined : plantLines(loadConfig(plantModel, values.plant, process.env));
for (const [name, text] of generatedFiles({ nhipUrl: values['nhip-url'].replace(/\/+$/, ''), lines })) {
  const file = join(values.out, name);
  if (values.check) {
    if (readIfThere(file) === text) continue;
    process.stderr.write(`${file} is not current: run npx tsx dashboards/grafana/generate.ts\n`);
    process.exitCode = 1;
  } else {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
