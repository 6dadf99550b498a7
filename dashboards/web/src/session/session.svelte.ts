import { api, type SessionView } from '../api/endpoints.ts';
import { HttpProblem } from '../api/http.ts';

type SessionStatus = 'unknown' | 'ready' | 'unreachable';

const nobody: SessionView = { user: null, canRead: false, rememberDays: 0, demo: false, grafanaUrl: null };

/** Who looks at the screen. The server decides what that person may see; this only mirrors it. */
class Session {
  status: SessionStatus = $state('unknown');
  view: SessionView = $state.raw(nobody);

  /** Asks the server. An unreachable server keeps what was known. */
  async refresh(): Promise<void> {
    try {
      this.view = await api.session();
      this.status = 'ready';
    } catch (err) {
      if (err instanceof HttpProblem && err.status === 401) {
        this.view = { ...nobody, rememberDays: this.view.rememberDays };
        this.status = 'ready';
      } else if (this.status !== 'ready') {
        this.status = 'unreachable';
      }
    }
  }

  /** Throws HttpProblem when the server refuses. */
  async login(username: string, password: string, remember: boolean): Promise<void> {
    await api.login(username, password, remember);
    await this.refresh();
  }

  async logout({ everywhere = false } = {}): Promise<void> {
    try {
      await (everywhere ? api.logoutEverywhere() : api.logout());
    } finally {
      await this.refresh();
    }
  }
}

export const session = new Session();
