import type { MachineView, PlantMachineView } from '@nhip/core/wire/live';
import type { Connection, MachineState } from '@nhip/core/wire/vocabulary';

/**
 * One machine on the screen. Words (state, reason, alarms, names) change at once; figures change when the feed flushes
 * them, because nobody reads digits at 10 Hz and text layout is what costs.
 */
export class Machine {
  readonly id: string;
  name = $state('');
  kind = $state('');
  line = $state('');
  state: MachineState = $state('unknown');
  reason: string | null = $state(null);
  since: number | null = $state(null);
  connection: Connection = $state('online');
  product: string | null = $state(null);
  alarms: readonly string[] = $state.raw([]);
  lastSample: number | null = $state(null);
  countGood: number | null = $state(null);
  countReject: number | null = $state(null);
  countIdeal: number | null = $state(null);
  ratePerHour: number | null = $state(null);
  powerKw: number | null = $state(null);
  /** What the plant model says of it; null when it is not in the model. */
  plan: PlantMachineView | null = $state.raw(null);

  constructor(view: MachineView, plan: PlantMachineView | null) {
    this.id = view.id;
    this.plan = plan;
    this.showWords(view);
    this.showFigures(view);
  }

  showWords(view: MachineView): void {
    this.name = view.name;
    this.kind = view.kind;
    this.line = view.line;
    this.state = view.state;
    this.reason = view.reason;
    this.since = view.since;
    this.connection = view.connection;
    this.product = view.product;
    if (view.alarms.join('\n') !== this.alarms.join('\n')) this.alarms = view.alarms;
  }

  showFigures(view: MachineView): void {
    this.lastSample = view.lastSample;
    this.countGood = view.countGood;
    this.countReject = view.countReject;
    this.countIdeal = view.countIdeal;
    this.ratePerHour = view.ratePerHour;
    this.powerKw = view.powerKw;
  }
}
