/** Of the reader page. */
export const DOCS_STYLE = `
:root { color-scheme: light dark; --line: light-dark(#d0d0d0, #404040); --soft: light-dark(#f5f5f5, #1e1e1e); }
body { font: 1rem/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 64rem; padding: 1rem; }
nav a { display: inline-block; margin-right: 0.75rem; }
h2 { border-bottom: 1px solid var(--line); margin-top: 2.5rem; }
h3 { margin-bottom: 0.25rem; overflow-wrap: anywhere; }
h4 { margin: 0.75rem 0 0.25rem; }
article { border-left: 3px solid var(--line); margin: 1rem 0; padding: 0 0 0 1rem; }
p { margin: 0.25rem 0; }
.note { font-size: 0.9rem; }
.method { font-weight: 700; }
code { background: var(--soft); border-radius: 3px; padding: 0 0.25em; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: 0.9rem; width: 100%; }
th, td { border-top: 1px solid var(--line); padding: 0.25rem 0.5rem; text-align: left; vertical-align: top; }
:target { outline: 2px solid; outline-offset: 4px; }
`
