import * as React from 'react';
import type { Trace } from '../model/traces';

const WIDTH = 66;
const HEIGHT = 18;
const EDGE = 3.5;

/** The best so far as a curve as small as a word; the words beside it say the same. */
export function Sparkline(props: { trace: Trace; isOver: boolean }): JSX.Element {
  const { trace, isOver } = props;
  const { path, end } = drawn(trace);
  return (
    <svg
      className={`jp-HpoSparkline ${isOver ? 'ended' : ''}`}
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      width={WIDTH}
      height={HEIGHT}
      aria-hidden="true"
    >
      <path d={path} />
      <circle cx={end[0]} cy={end[1]} r="2.6" />
    </svg>
  );
}

function drawn(trace: Trace): { path: string; end: [number, number] } {
  const values = trace.steps.map(([, value]) => value);
  const last = values[values.length - 1];
  // The climb fills the height: what begins far below is cut off at the lower edge.
  const worst = values[Math.floor(values.length / 4)];
  const range = Math.abs(last - worst);
  const width = WIDTH - 2 * EDGE;
  const height = HEIGHT - 2 * EDGE;
  const x = (place: number) => EDGE + (width * place) / Math.max(1, trace.length - 1);
  const y = (value: number) =>
    EDGE + height * Math.min(1, range ? Math.abs(last - value) / range : 0.5);
  let path = '';
  trace.steps.forEach(([place, value], index) => {
    path += index
      ? `H${x(place).toFixed(1)}V${y(value).toFixed(1)}`
      : `M${x(place).toFixed(1)} ${y(value).toFixed(1)}`;
  });
  const end: [number, number] = [WIDTH - EDGE, y(last)];
  return { path: `${path}H${end[0]}`, end };
}
