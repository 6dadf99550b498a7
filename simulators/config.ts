import { z } from 'zod';

/** Configuration of the simulated plant. */
export const simulationConfig = z.strictObject({
  dataDir: z.string().min(1).describe('Absolute folder of the simulation: the plant snapshot and the OPC UA key.'),
  host: z.string().min(1).default('127.0.0.1').describe('Address on which the protocol servers listen. They have no security.'),
  modbusPort: z.number().int().min(0).max(65_535).default(1502).describe('Modbus TCP port; 0 is any free port.'),
  opcuaPort: z.number().int().min(0).max(65_535).default(4840).describe('OPC UA port; 0 is any free port.'),
  seed: z.number().int().default(1).describe('The same seed gives the same plant.'),
  speed: z.number().positive().max(60).default(1).describe('Simulated seconds per second. Shifts follow the real clock all the same.'),
});

export type SimulationConfig = z.infer<typeof simulationConfig>;
