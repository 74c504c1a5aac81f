import { fireEvent, render, screen } from '@testing-library/react';
import * as React from 'react';
import { Tabs } from './tabs';

function Three(): JSX.Element {
  const [selected, select] = React.useState('a');
  const tabs = ['a', 'b', 'c'].map(name => ({
    name,
    title: `Tab ${name}`,
    render: () => <p>{name} is shown</p>
  }));
  return <Tabs tabs={tabs} label="Parts" selected={selected} select={select} />;
}

it('walks through the tabs with the arrow keys, and draws the selected one alone', () => {
  render(<Three />);
  const list = screen.getByRole('tablist');
  fireEvent.keyDown(list, { key: 'ArrowLeft' });
  expect(document.activeElement?.textContent).toBe('Tab c');
  expect(screen.getByRole('tabpanel').textContent).toBe('c is shown');
  fireEvent.keyDown(list, { key: 'ArrowRight' });
  expect(screen.getByRole('tab', { selected: true }).textContent).toBe('Tab a');
  fireEvent.keyDown(list, { key: 'End' });
  expect(screen.getByRole('tabpanel').textContent).toBe('c is shown');
});
