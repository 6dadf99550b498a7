import { reasonOf } from '@nhip/core/process/errors';
import {
  type ClientSubscription,
  DataChangeNotification,
  type DataValue,
  EventNotificationList,
  type NotificationMessage,
  promoteOpaqueStructure,
  StatusChangeNotification,
  type Variant,
} from 'node-opcua-client';
import type { Reading } from '../../driver.ts';
import type { Item } from './items.ts';
import type { Link } from './link.ts';

/**
 * What the server publishes, on its way to the host.
 *
 * - Nothing is emitted before the namespace table was looked at again after its item was made: a server that renumbers its namespaces
 *   meanwhile has bound the item to another node.
 * - Messages keep their order, also when the type of a structure has to be asked for first.
 * - Notifications are taken from the raw messages and not left to the library, whose item objects cost memory and whose event handling
 *   fails for items that it did not create.
 */
export interface Notifications {
  attach(subscription: ClientSubscription): void;
  /** Whether something waits for `flush`. */
  isHolding(): boolean;
  /** The items that exist now are bound to the right nodes: emits what came so far. */
  flush(): void;
  /** All items exist and are bound to the right nodes: emits what came so far, and what comes. */
  release(): void;
}

export interface NotificationHandlers {
  /** Client handle 0 is the namespace table, 1…n are `items`. */
  readonly items: readonly Item[];
  namespaceTable(value: unknown): void;
  /** A live value, after it was emitted. */
  live(item: Item, timestampMs: number): void;
  event(clientHandle: number, fields: readonly Variant[]): void;
}

export const namespaceHandle = 0;

export function createNotifications({ session, over, emit, lose }: Link, handlers: NotificationHandlers): Notifications {
  const { items } = handlers;
  let held: NotificationMessage[] | undefined = [];
  let tail: Promise<void> | undefined;

  const take = (message: NotificationMessage): void => {
    const byDevice = new Map<string, Reading[]>();
    const lives: (() => void)[] = [];
    for (const notification of message.notificationData ?? []) {
      if (notification instanceof EventNotificationList) {
        for (const { clientHandle, eventFields } of notification.events ?? []) handlers.event(clientHandle, eventFields ?? []);
      }
      if (!(notification instanceof DataChangeNotification)) continue;
      for (const { clientHandle, value } of notification.monitoredItems ?? []) {
        const item = items[clientHandle - 1];
        if (item === undefined) continue;
        let readings = byDevice.get(item.deviceId);
        if (readings === undefined) {
          readings = [];
          byDevice.set(item.deviceId, readings);
        }
        for (const metric of item.metrics) readings.push(metric.read(value));
        const timestampMs = readings.at(-1)?.timestampMs ?? 0;
        if (item.history !== false) lives.push(() => handlers.live(item, timestampMs));
      }
    }
    if (over.aborted) return;
    for (const [deviceId, readings] of byDevice) emit(deviceId, readings);
    for (const live of lives) live();
  };

  const takeInOrder = (message: NotificationMessage): void => {
    const structures = structuresOf(message, items);
    if (structures.length === 0 && tail === undefined) {
      take(message);
      return;
    }
    const next: Promise<void> = (tail ?? Promise.resolve())
      .then(() => promoteOpaqueStructure(session, structures))
      // A type that the server does not tell leaves the value opaque: it is reported as bad.
      .catch(() => undefined)
      .then(() => {
        if (!over.aborted) take(message);
        if (tail === next) tail = undefined;
      })
      .catch((error: unknown) => lose(reasonOf(error)));
    tail = next;
  };

  return {
    attach: (subscription) => {
      subscription.on('raw_notification', (message: NotificationMessage) => {
        if (over.aborted) return;
        const { sequenceNumber, publishTime, notificationData } = message;
        const taken = { sequenceNumber, publishTime, notificationData } as NotificationMessage;
        // The library goes on with what is left in the message: a change of the subscription's state.
        message.notificationData = (notificationData ?? []).filter((each) => each instanceof StatusChangeNotification);
        const table = tableOf(taken);
        if (table !== undefined) handlers.namespaceTable(table.value?.value);
        if (held === undefined) takeInOrder(taken);
        else held.push(taken);
      });
    },
    isHolding: () => held !== undefined && held.length > 0,
    flush: () => {
      for (const message of held?.splice(0) ?? []) takeInOrder(message);
    },
    release: () => {
      const messages = held ?? [];
      held = undefined;
      for (const message of messages) takeInOrder(message);
    },
  };
}

function tableOf(message: NotificationMessage): DataValue | undefined {
  for (const notification of message.notificationData ?? []) {
    if (!(notification instanceof DataChangeNotification)) continue;
    const table = notification.monitoredItems?.findLast(({ clientHandle }) => clientHandle === namespaceHandle);
    if (table !== undefined) return table.value;
  }
  return undefined;
}

function structuresOf(message: NotificationMessage, items: readonly Item[]): DataValue[] {
  const structures: DataValue[] = [];
  for (const notification of message.notificationData ?? []) {
    if (!(notification instanceof DataChangeNotification)) continue;
    for (const { clientHandle, value } of notification.monitoredItems ?? []) {
      if (items[clientHandle - 1]?.isStructure === true) structures.push(value);
    }
  }
  return structures;
}
