/** Keeps the screen on while the page is visible. Needs a secure context: on plain http the TV's own kiosk settings have to do it. */
export function keepAwake(): () => void {
  if (!('wakeLock' in navigator)) return () => {};
  let held: WakeLockSentinel | null = null;
  let isWanted = true;
  const take = async (): Promise<void> => {
    if (document.visibilityState !== 'visible') return;
    try {
      const lock = await navigator.wakeLock.request('screen');
      if (isWanted) held = lock;
      else await lock.release();
    } catch {
      // Refused (battery saver, policy): the screen may sleep, nothing else suffers.
    }
  };
  const retake = () => void take();
  retake();
  document.addEventListener('visibilitychange', retake);
  return () => {
    isWanted = false;
    document.removeEventListener('visibilitychange', retake);
    void held?.release();
  };
}
