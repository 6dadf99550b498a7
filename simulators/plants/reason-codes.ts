/** What the reasons of `machines/reasons.ts` mean, as standard codes; those that are missing count as `other`. */
const meanings: Readonly<Record<string, readonly string[]>> = {
  breakdown: [
    ...['toolBroken', 'coolantLow', 'spindleOverload', 'chipJam', 'clampFault', 'mouldProtect', 'heaterFault', 'partStuck', 'oilHot'],
    ...['arcFault', 'wireStuck', 'nozzleBlocked', 'capJam', 'bottleFallen', 'labelTorn', 'sensorDirty', 'boxJam', 'glueCold'],
    ...['compressorHot', 'noAir'],
  ],
  setup_changeover: ['changeover', 'toolChange'],
  material_shortage: ['materialLow', 'tankLow', 'labelOut', 'cartonOut'],
  labour_shortage: ['waitingForOperator'],
  quality_problem: ['qualityCheck'],
  planned_maintenance: ['preventiveMaintenance', 'nozzleCleaning'],
  grid_outage: ['gridOutage', 'restart'],
  upstream_downstream: ['starved', 'blocked'],
};

export const reasonCodes: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(meanings).flatMap(([code, reasons]) => reasons.map((reason) => [reason, code])),
);
