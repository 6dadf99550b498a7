import { stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import fastifyStatic from '@fastify/static';
import { HttpProblem } from '@nhip/core/process/http-problem';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

const missingPage = `<!doctype html>
<html lang="vi"><head><meta charset="utf-8"><title>Nhịp</title></head><body>
<h1>Nhịp</h1>
<p lang="vi">Giao diện web chưa được biên dịch. Chạy <code>npm run build</code> rồi khởi động lại.</p>
<p lang="en">The web app is not built yet. Run <code>npm run build</code>, then start again.</p>
<p><a href="/api/docs">API</a></p>
</body></html>
`;

/**
 * Serves the built web app: files whose name carries a hash for a year, the rest fresh. Other addresses below `/` get the app
 * too, whose router knows them. Without the folder there is a page that says what to do.
 */
export async function serveWebApp(app: FastifyInstance, webDir: string): Promise<void> {
  const isBuilt = await isFile(join(webDir, 'index.html'));
  if (isBuilt) {
    await app.register(fastifyStatic, {
      root: webDir,
      cacheControl: false,
      setHeaders: (response, path) => {
        const isHashed = path.slice(webDir.length).startsWith(join('/', 'assets/'));
        response.header('cache-control', isHashed ? 'public, max-age=31536000, immutable' : 'no-cache');
      },
    });
  }
  app.setNotFoundHandler((request, reply) => {
    if (!isPage(request))
      throw new HttpProblem(404, `Nothing is at ${request.method} ${request.url.split('?')[0]?.slice(0, 200)}: see /api/docs.`);
    return isBuilt ? reply.header('cache-control', 'no-cache').sendFile('index.html') : sendMissing(reply);
  });
}

/** A person opened an address of the web app: not a file, not the API. */
function isPage({ method, url }: FastifyRequest): boolean {
  const path = url.split('?')[0] ?? '';
  if (method !== 'GET' && method !== 'HEAD') return false;
  // The name of a machine may hold a dot, and ends no path of a file.
  if (path.startsWith('/m/')) return true;
  return !/^\/(api|metrics|health|socket\.io)(\/|$)/.test(path) && extname(path) === '';
}

function sendMissing(reply: FastifyReply): FastifyReply {
  return reply.code(503).header('cache-control', 'no-store').type('text/html; charset=utf-8').send(missingPage);
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}
