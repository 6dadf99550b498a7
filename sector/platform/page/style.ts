/** The one style sheet; system fonts, no script, light and dark. */
export const style = `
:root { color-scheme: light dark; --bg: #f6f7f8; --card: #fff; --text: #1b1f23; --muted: #5b646d; --line: #dfe3e7; --bad: #a4262c; --link: #0b5cad; }
@media (prefers-color-scheme: dark) { :root { --bg: #15181b; --card: #1d2125; --text: #e6e9ec; --muted: #9aa4ad; --line: #31373d; --bad: #ff8f8f; --link: #7ab8ff; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--bg); color: var(--text); font: 15px/1.5 Inter, system-ui, sans-serif; }
header, main { max-width: 1100px; margin: 0 auto; padding: 12px; }
header { display: flex; flex-wrap: wrap; gap: 12px; align-items: center; }
h1 { font-size: 20px; margin: 0; flex: 1 1 16em; }
h2 { font-size: 16px; margin: 0 0 6px; }
p { margin: 0 0 6px; } .muted { color: var(--muted); } .bad { color: var(--bad); }
a { color: var(--link); } nav { display: flex; gap: 12px; align-items: center; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 12px; margin-bottom: 12px; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: 6px 12px 6px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th { color: var(--muted); font-weight: 500; white-space: nowrap; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
code { font-size: 13px; overflow-wrap: anywhere; }
form.login { display: grid; gap: 12px; max-width: 420px; }
label { display: grid; gap: 3px; }
input, button { font: inherit; min-height: 44px; border: 1px solid var(--line); border-radius: 10px; padding: 6px 12px; background: var(--card); color: var(--text); }
button { cursor: pointer; }
:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
@media (max-width: 640px) {
  thead { position: absolute; clip-path: inset(50%); width: 1px; height: 1px; overflow: hidden; }
  tr { display: block; border-bottom: 1px solid var(--line); padding: 6px 0; }
  td, td.number { display: grid; grid-template-columns: 8em minmax(0, 1fr); overflow-wrap: anywhere; text-align: left; border: 0; padding: 3px 0; }
  td::before { content: attr(data-label); color: var(--muted); }
}
`;
