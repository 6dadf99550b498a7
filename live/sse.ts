import type { ServerResponse } from 'node:http';
import type { LiveFrame, MetricsFrame } from '@nhip/core/wire/live';
import type { Identity } from './auth/authenticator.ts';
import type { Session } from './auth/sessions.ts';
import type { LiveHub } from './hub.ts';
import { createMetricsFeed } from './metrics-feed.ts';
import { dropAfterMs, type Outlet, recheckMs, slowSnapshotMs, type ViewerSlots } from './viewers.ts';

/** Server-sent events: the frames of the live protocol as JSON, for curl, Node-RED and Grafana. */
export interface SseOutlet extends Outlet {
  /** Takes over a response. `watch`: a machine whose metric frames follow too. */
  open(response: ServerResponse, identity: Identity, watch: string | undefined, nowMs: number): void;
  endSession(session: Session): void;
  close(): void;
}

interface Viewer {
  readonly response: ServerResponse;
  readonly identity: Identity;
  readonly watch: string | undefined;
  /** Since when its connection takes nothing; null while it does. */
  stalledMs: number | null;
  needsSnapshot: boolean;
  snapshotMs: number;
  checkedMs: number;
}

export function createSseOutlet(hub: LiveHub, slots: ViewerSlots): SseOutlet {
  const viewers = new Set<Viewer>();
  const metricsOf = createMetricsFeed(hub);
  const counts = { framesSent: 0, snapshotsSent: 0, dropped: 0 };

  /** Writes unless the connection is full; a frame that is skipped is made up for by a snapshot. */
  function send(viewer: Viewer, text: string, nowMs: number): void {
    if (viewer.stalledMs !== null) return;
    counts.framesSent += 1;
    if (!viewer.response.write(text)) viewer.stalledMs = nowMs;
  }

  function sendSnapshot(viewer: Viewer, nowMs: number): void {
    viewer.needsSnapshot = false;
    viewer.snapshotMs = nowMs;
    counts.snapshotsSent += 1;
    const metrics = viewer.watch === undefined ? undefined : metricsOf.whole(viewer.watch, nowMs);
    send(viewer, eventText(hub.snapshot(nowMs)) + (metrics === undefined ? '' : eventText(metrics)), nowMs);
  }

  function recheck(viewer: Viewer, nowMs: number): void {
    if (Math.abs(nowMs - viewer.checkedMs) < recheckMs) return;
    viewer.checkedMs = nowMs;
    const close = () => viewer.response.destroy();
    viewer.identity.isValid(nowMs).then((isValid) => (isValid ? undefined : close()), close);
  }

  function serve(viewer: Viewer, text: string | null, metrics: readonly MetricsFrame[], nowMs: number): void {
    recheck(viewer, nowMs);
    if (viewer.stalledMs !== null) {
      viewer.needsSnapshot ||= text !== null || metrics.length > 0;
      // A clock that was set back begins the wait anew.
      viewer.stalledMs = Math.min(viewer.stalledMs, nowMs);
      if (nowMs - viewer.stalledMs < dropAfterMs) return;
      counts.dropped += 1;
      viewer.response.destroy();
    } else if (viewer.needsSnapshot) {
      if (Math.abs(nowMs - viewer.snapshotMs) >= slowSnapshotMs) sendSnapshot(viewer, nowMs);
    } else if (text !== null) send(viewer, text, nowMs);
    for (const frame of metrics) if (frame.machine === viewer.watch) send(viewer, eventText(frame), nowMs);
  }

  return {
    open(response, identity, watch, nowMs) {
      slots.take();
      const viewer: Viewer = { response, identity, watch, stalledMs: null, needsSnapshot: false, snapshotMs: nowMs, checkedMs: nowMs };
      viewers.add(viewer);
      response.on('drain', () => {
        viewer.stalledMs = null;
      });
      response.on('close', () => {
        if (viewers.delete(viewer)) slots.release();
      });
      response.on('error', () => response.destroy());
      response.write('retry: 2000\n\n');
      sendSnapshot(viewer, nowMs);
    },
    tick(frame, nowMs) {
      if (viewers.size === 0) return;
      // Encoded once, however many there are.
      const text = frame === null ? null : eventText(frame);
      const watched = new Set([...viewers].flatMap((viewer) => viewer.watch ?? []));
      const metrics = metricsOf.changed(watched, nowMs);
      for (const viewer of viewers) serve(viewer, text, metrics, nowMs);
    },
    endSession(session) {
      for (const viewer of viewers) if (viewer.identity.session === session) viewer.response.destroy();
    },
    close() {
      for (const { response, stalledMs } of viewers) {
        if (stalledMs === null) response.end();
        else response.destroy();
      }
    },
    stats: () => ({ ...counts, viewers: viewers.size, slow: [...viewers].filter((viewer) => viewer.stalledMs !== null).length }),
  };
}

function eventText(frame: LiveFrame): string {
  return `data: ${JSON.stringify(frame)}\n\n`;
}
