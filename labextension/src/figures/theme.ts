import * as React from 'react';

export type Theme = 'light' | 'dark' | 'contrast';

/** The theme of the Python figures that fits the theme of JupyterLab. */
function currentTheme(body: HTMLElement = document.body): Theme {
  const { jpThemeLight, jpThemeName = '' } = body.dataset;
  if (jpThemeLight !== 'false') {
    return 'light';
  }
  return /contrast/i.test(jpThemeName) ? 'contrast' : 'dark';
}

/** The same, which changes with the theme of JupyterLab. */
export function useTheme(): Theme {
  const [theme, setTheme] = React.useState(() => currentTheme());
  React.useEffect(() => {
    const observer = new MutationObserver(() => setTheme(currentTheme()));
    observer.observe(document.body, {
      attributeFilter: ['data-jp-theme-light', 'data-jp-theme-name']
    });
    return () => observer.disconnect();
  }, []);
  return theme;
}
