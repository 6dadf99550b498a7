import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Tags of the device that `modbusConfig` describes. */
export const setpoint = '{ metric: Setpoint, address: "holding:5:uint16", unitName: "°C", writable: true }';
export const plain = '{ metric: Level, address: "holding:6:uint16" }';

/** Writes `edge.yaml` for one Modbus device MAY-01 (unit 3) at a local port into the folder; returns the file's path. */
export function modbusConfig(folder: string, port: number, tags: string, more = ''): string {
  const file = join(folder, 'edge.yaml');
  writeFileSync(
    file,
    `group: g
edge: e
mqtt: { url: "mqtt://127.0.0.1:1" }
connections:
  - id: plc
    driver: modbus
    endpoint: tcp://127.0.0.1:${port}
    devices:
      - { id: MAY-01, unit: 3, tags: [${tags}] }
${more}`,
  );
  return file;
}
