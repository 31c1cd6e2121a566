// Runs before the first paint, so that a chosen theme never flashes into the other one, and what is below the first form keeps its place.
(() => {
  const key = 'theme';
  const root = document.documentElement;
  const system = matchMedia('(prefers-color-scheme: dark)');
  const chosen = () => {
    try {
      return localStorage.getItem(key);
    } catch {
      return null;
    }
  };
  const isDark = () => (chosen() ?? (system.matches ? 'dark' : 'light')) === 'dark';
  const apply = () => {
    root.dataset.theme = isDark() ? 'dark' : 'light';
    const button = document.getElementById('theme');
    if (button) {
      button.setAttribute('aria-pressed', String(isDark()));
    }
  };
  root.classList.toggle('first-visit', location.search === '');
  apply();
  system.addEventListener('change', apply);
  addEventListener('storage', apply);
  addEventListener('DOMContentLoaded', () => {
    apply();
    document.getElementById('theme').addEventListener('click', () => {
      try {
        localStorage.setItem(key, isDark() ? 'light' : 'dark');
      } catch {
        root.dataset.theme = isDark() ? 'light' : 'dark';
        return;
      }
      apply();
    });
  });
})();
