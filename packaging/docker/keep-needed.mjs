// Takes out of node_modules what is in the server's bundle already: what stays is what the bundle asks for by name while it runs, and
// what those packages need. A name in a string that only looks like an import keeps a package too many, never one too few.
//   node keep-needed.mjs dist node_modules
import { existsSync, lstatSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

const [dist, modules] = process.argv.slice(2).map((path) => resolve(path));
if (modules === undefined) throw new Error('say two folders: that of the bundle, and node_modules');
const needed = new Set();

/** The folder that Node finds a package in, seen from `from`; undefined when it is not installed (optional, or Node's own). */
function folderOf(name, from) {
  for (let dir = from; dir.startsWith(dirname(modules)); dir = dirname(dir)) {
    const found = join(dir, 'node_modules', name);
    if (existsSync(join(found, 'package.json'))) return found;
  }
  return undefined;
}

function need(name, from) {
  const folder = folderOf(name, from);
  if (folder === undefined || needed.has(folder)) return;
  needed.add(folder);
  const { dependencies, optionalDependencies, peerDependencies } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  for (const other of Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies })) need(other, folder);
}

for (const file of readdirSync(dist).filter((name) => name.endsWith('.js'))) {
  const text = readFileSync(join(dist, file), 'utf8');
  for (const [, name] of text.matchAll(/\b(?:from|import|import\(|require\()\s*["'`]((?:@[\w.-]+\/)?[a-z][\w.-]*)/g)) {
    need(name, dirname(modules));
  }
}
if (needed.size === 0) throw new Error(`the bundle in ${dist} asks for no package of ${modules}: is it there?`);

/** Packages of a node_modules folder, those in a scope too. */
function packagesIn(folder) {
  const entries = readdirSync(folder).filter((name) => !name.startsWith('.'));
  return entries.flatMap((name) => (name.startsWith('@') ? readdirSync(join(folder, name)).map((each) => join(name, each)) : [name]));
}

function clean(folder) {
  for (const name of packagesIn(folder)) {
    const path = join(folder, name);
    // A link leads to a workspace, which is in the bundle.
    if (lstatSync(path).isSymbolicLink() || !needed.has(path)) rmSync(path, { recursive: true });
    else if (existsSync(join(path, 'node_modules'))) clean(join(path, 'node_modules'));
  }
  for (const name of readdirSync(folder)) {
    if (name.startsWith('@') && readdirSync(join(folder, name)).length === 0) rmSync(join(folder, name), { recursive: true });
  }
  // Lists what was there, and links to programs that nobody starts here.
  for (const name of ['.package-lock.json', '.bin']) rmSync(join(folder, name), { recursive: true, force: true });
}

clean(modules);
console.log(`${needed.size} packages stay`);
