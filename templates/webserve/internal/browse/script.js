(() => {
'use strict';
const one = (s, e) => (e || document).querySelector(s);
const all = (s, e) => [...(e || document).querySelectorAll(s)];
const said = one('#said'), box = one('#q'), count = one('#count'), nothing = one('#nothing');
let table = one('table');

// Copying. Pages over plain http have no clipboard API; the old command works
// there as long as it runs in the click itself.
const oldCopy = text => {
  const area = document.createElement('textarea'), focus = document.activeElement;
  area.value = text;
  area.className = 'off';
  area.setAttribute('aria-hidden', 'true');
  document.body.append(area);
  area.select();
  let ok = false;
  try { ok = document.execCommand('copy'); } catch { /* said below */ }
  area.remove();
  if (focus) focus.focus({preventScroll: true});
  return ok;
};
const put = async text => {
  if (navigator.clipboard) {
    try { await navigator.clipboard.writeText(text); return true; } catch { /* forbidden: try the other way */ }
  }
  return oldCopy(text);
};
const tell = text => { said.textContent = ''; said.textContent = text; };
const copied = (button, what, ok) => {
  tell(ok ? 'Copied: ' + what : 'Could not copy. The text is on the template’s page.');
  if (!ok) return;
  button.classList.add('done');
  setTimeout(() => button.classList.remove('done'), 1500);
};
const makeButton = (text, label) => {
  const b = document.createElement('button');
  b.type = 'button';
  b.textContent = text;
  b.setAttribute('aria-label', label);
  return b;
};

// A template's page: a button for each snippet.
for (const pre of all('.snippet pre')) {
  const what = pre.dataset.kind, b = makeButton('Copy', 'Copy for ' + what);
  b.onclick = async () => copied(b, what, await put(pre.textContent));
  pre.before(b);
}

// The catalogue: buttons in the rows that come into view. What they copy is
// fetched when the pointer or the focus is on them, to be there at the click.
const kinds = {l: ['lago', 'lago'], v: ['virt-builder', 'virt-builder'], k: ['CDI', 'cdi'], c: ['curl', 'curl']};
const fetched = new Map();
const load = link => {
  let f = fetched.get(link);
  if (!f) {
    f = {};
    f.ready = fetch(link, {headers: {Accept: 'application/json'}}).then(r => {
      if (!r.ok) throw new Error(r.status);
      return r.json();
    }).then(t => { f.snippets = t.snippets || {}; });
    f.ready.catch(() => fetched.delete(link));
    fetched.set(link, f);
  }
  return f;
};
const fill = row => {
  if (row.children.length > 7) return;
  const link = one('a', row), cell = document.createElement('td'), group = document.createElement('div');
  const version = one('.name span', row), name = link.textContent + (version ? ' ' + version.textContent : '');
  cell.setAttribute('role', 'cell');
  group.className = 'do';
  for (const letter of row.dataset.k) {
    const [text, key] = kinds[letter], b = makeButton(text, 'Copy for ' + text + ': ' + name);
    b.onpointerenter = b.onfocus = () => { load(link.href).ready.catch(() => {}); };
    b.onclick = async () => {
      const f = load(link.href);
      try { if (!f.snippets) await f.ready; } catch { copied(b, '', false); return; }
      copied(b, text + ', ' + name, f.snippets[key] !== undefined && await put(f.snippets[key]));
    };
    group.append(b);
  }
  cell.append(group);
  row.append(cell);
};
const watch = new IntersectionObserver(seen => {
  for (const s of seen) if (s.isIntersecting) { watch.unobserve(s.target); all('tr', s.target).forEach(fill); }
}, {rootMargin: '400px'});
const dress = () => {
  if (!table || !table.classList.contains('templates')) return;
  const th = document.createElement('th');
  th.textContent = 'Copy';
  th.className = 'act';
  th.scope = 'col';
  th.setAttribute('role', 'columnheader');
  one('thead tr', table).append(th);
  table.classList.add('copy');
  [...table.tBodies].forEach(g => watch.observe(g));
};
dress();

// Searching while one types. A page that the server filtered is fetched whole
// once the words no longer narrow it.
if (!box || !table) return;
let rows, whole = box.value.trim() === '';
const served = box.value.trim().toLowerCase();
const index = () => {
  const files = table.classList.contains('files');
  rows = all('tbody:not(.up)', table).map(group => ({group, shown: true, rows: [...group.rows].map(row => ({row, shown: true,
    text: (files ? one('a', row).textContent : [...row.children].slice(0, 7).filter(c => !c.classList.contains('n')).map(c => c.textContent).join('\n')).toLowerCase()}))}));
};
const show = (n, of, value) => {
  const number = x => x.toLocaleString('en-US');
  count.textContent = (value ? number(n) + ' of ' : '') + of + ' ' + count.dataset.what + (value ? ' with “' + value + '”' : '');
  nothing.hidden = n > 0;
};
const links = all('thead a', table).map(a => [a, a.getAttribute('href').replace(/;q=.*/, '')]);
// The page's address with another search. The server divides by ";", too.
const address = value => {
  const kept = location.search.slice(1).split(/[&;]/).filter(p => p && !p.startsWith('q='));
  if (value) kept.push('q=' + encodeURIComponent(value));
  return location.pathname + (kept.length ? '?' + kept.join('&') : '');
};
let later;
const filter = () => {
  if (!rows) index();
  const value = box.value.trim(), words = value.toLowerCase().split(/\s+/).filter(Boolean);
  let n = 0;
  for (const g of rows) {
    let in_group = 0;
    for (const r of g.rows) {
      const shown = words.every(w => r.text.includes(w));
      if (shown !== r.shown) { r.row.hidden = !shown; r.shown = shown; }
      if (shown) in_group++;
    }
    if ((in_group > 0) !== g.shown) { g.shown = in_group > 0; g.group.hidden = !g.shown; }
    n += in_group;
  }
  show(n, count.dataset.all, value);
  clearTimeout(later);
  later = setTimeout(() => history.replaceState(null, '', address(value)), 300);
  for (const [a, href] of links) a.setAttribute('href', href + (value ? ';q=' + encodeURIComponent(value) : ''));
};
const fetchWhole = async () => {
  const page = new DOMParser().parseFromString(await (await fetch(address(''))).text(), 'text/html'), fresh = one('table', page);
  if (!fresh) return;
  all('tbody', table).forEach(g => g.remove());
  table.append(...all('tbody', fresh));
  whole = true;
  rows = undefined;
  if (table.classList.contains('templates')) [...table.tBodies].forEach(g => watch.observe(g));
};
let fetching;
box.addEventListener('input', async () => {
  if (!whole && !box.value.trim().toLowerCase().startsWith(served)) {
    fetching = fetching || fetchWhole().catch(() => { fetching = undefined; });
    await fetching;
    if (!whole) return;
  }
  filter();
});
})();
