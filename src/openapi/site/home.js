// Fills in this server's URL and, locally, the demo API key; tabs and copy buttons work with this script alone.
const DEMO_API_KEY = 'peere_test_lagos_full';
const isLocal = ['localhost', '127.0.0.1', '[::1]'].includes(location.hostname);
for (const place of document.querySelectorAll('[data-origin]')) place.textContent = location.origin;
if (isLocal) for (const place of document.querySelectorAll('[data-key]')) place.textContent = DEMO_API_KEY;

const list = document.querySelector('[role=tablist]');
const tabs = [...list.querySelectorAll('[role=tab]')];
function select(selected) {
  for (const tab of tabs) {
    const isSelected = tab === selected;
    tab.setAttribute('aria-selected', String(isSelected));
    tab.tabIndex = isSelected ? 0 : -1;
    const panel = document.getElementById(tab.getAttribute('aria-controls'));
    panel.setAttribute('role', 'tabpanel');
    panel.hidden = !isSelected;
  }
}
list.addEventListener('click', ({ target }) => {
  if (tabs.includes(target)) select(target);
});
list.addEventListener('keydown', ({ key }) => {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[key];
  if (step === undefined) return;
  const next = tabs.at((tabs.indexOf(document.activeElement) + step) % tabs.length);
  select(next);
  next.focus();
});
list.hidden = false;
select(tabs[0]);

async function copy(button) {
  await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
  button.textContent = 'Copied';
  setTimeout(() => (button.textContent = 'Copy'), 2_000);
}

for (const button of document.querySelectorAll('[data-copy]')) {
  button.hidden = false;
  button.addEventListener('click', () => void copy(button));
}
