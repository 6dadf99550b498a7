/**
 * What an edge does differently while `mqtt.strictSparkplug` is off, its default, and why. With it on, each of these is met.
 */
export const deviations: Readonly<Record<string, string>> = {
  'tck-id-topics-ddata-mqtt':
    'DATA at QoS 1: the PUBACK of a Nhịp server means that the sample is on its disk, and releases it at the edge',
  'tck-id-payloads-ddata-qos': 'DATA at QoS 1, likewise',
  'tck-id-topics-ndata-mqtt': 'a report of lost samples goes at QoS 1, likewise; other NDATA goes at QoS 0',
  'tck-id-payloads-ndata-qos': 'a report of lost samples goes at QoS 1, likewise',
  'tck-id-operational-behavior-data-publish-nbirth-change':
    'the marks of the outbox go every five seconds, also when they stand still: the server finds gaps by them',
};

/** Where the text can be read in two ways, or asks for something that cannot be as it stands: how it is read here. */
export const readings: Readonly<Record<string, string>> = {
  'tck-id-operational-behavior-data-publish-nbirth-change': 'a heartbeat a minute tells what stands still: 3 s in the time of the scenario',
  'tck-id-payloads-alias-birth-requirement':
    'it binds metrics that have an alias: Node Control/Rebirth must not have one (…rebirth-name-aliases), bdSeq and the metrics of the outbox have none either',
  'tck-id-payloads-alias-data-cmd-requirement':
    'likewise: Outbox/Identity has no alias in the DBIRTH and goes by name, so that a server knows the numbers also of a message whose birth it missed',
  'tck-id-topics-nbirth-bdseq-increment': 'an attempt that reached no server sent no CONNECT: its number is used by the next one',
  'tck-id-message-flow-device-dcmd-subscribe': 'one subscription with + for the device covers all devices of the node',
  'tck-id-topics-dbirth-metric-reqs':
    'a metric that only a record from before a new configuration has is declared by a birth before that record is sent',
  'tck-id-operational-behavior-host-reordering-rebirth': 'with a timeout of 0',
};
