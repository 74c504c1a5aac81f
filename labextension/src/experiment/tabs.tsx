import * as React from 'react';

/** A tab and what it shows. */
export interface ITab {
  name: string;
  title: string;
  render: () => JSX.Element;
}

export interface ITabsProps {
  tabs: readonly ITab[];
  label: string;
  selected: string;
  select: (name: string) => void;
}

/** Tabs that the arrow keys walk through; only what is selected is drawn. */
export function Tabs(props: ITabsProps): JSX.Element {
  const { tabs, label, selected, select } = props;
  const id = React.useId();
  const row = React.useRef<HTMLDivElement>(null);
  const at = Math.max(
    0,
    tabs.findIndex(each => each.name === selected)
  );

  const onKeyDown = (event: React.KeyboardEvent) => {
    const last = tabs.length - 1;
    const places: Record<string, number> = {
      ArrowRight: at === last ? 0 : at + 1,
      ArrowLeft: at === 0 ? last : at - 1,
      Home: 0,
      End: last
    };
    const place = places[event.key];
    if (place !== undefined) {
      event.preventDefault();
      select(tabs[place].name);
      row.current?.querySelectorAll<HTMLElement>('[role=tab]')[place].focus();
    }
  };

  return (
    <>
      <div
        ref={row}
        className="jp-HpoTabs"
        role="tablist"
        aria-label={label}
        onKeyDown={onKeyDown}
      >
        {tabs.map((tab, place) => (
          <button
            key={tab.name}
            type="button"
            role="tab"
            id={`${id}-${tab.name}`}
            aria-selected={place === at}
            aria-controls={`${id}-panel`}
            tabIndex={place === at ? 0 : -1}
            onClick={() => select(tab.name)}
          >
            {tab.title}
          </button>
        ))}
      </div>
      <div
        key={tabs[at].name}
        className={`jp-HpoTab jp-mod-${tabs[at].name}`}
        role="tabpanel"
        id={`${id}-panel`}
        aria-labelledby={`${id}-${tabs[at].name}`}
      >
        {tabs[at].render()}
      </div>
    </>
  );
}
