import type { Data, IPlotly, Layout } from 'plotly.js-dist-min';
import * as React from 'react';

/** A figure as the server draws it. */
export interface IFigure {
  title: string;
  text: string;
  data: Data[];
  layout: Layout;
}

let loading: Promise<IPlotly> | undefined;

/** plotly.js, which is 5 MB and loaded when the first figure is there. */
function plotly(): Promise<IPlotly> {
  loading ??= import('plotly.js-dist-min').then(
    module => module.default ?? (module as unknown as IPlotly)
  );
  return loading;
}

const CONFIG = {
  displaylogo: false,
  displayModeBar: 'hover' as const,
  modeBarButtons: [['toImage', 'resetScale2d']]
};
/** Narrower than this, in pixels, a title has no room beside it. */
const NARROW = 440;
const LINE = 16;

/** The layout of a figure in a narrow place: what stands beside the title stands below it. */
export function narrowed(layout: Layout): Layout {
  const { height = 280, margin, title } = layout as ITitled;
  const text = title?.text.replace('</b>  <span', '</b><br><span');
  if (!title || text === title.text) {
    return layout;
  }
  return {
    ...layout,
    title: { ...title, text },
    height: height + LINE,
    margin: { ...margin, t: (margin?.t ?? 36) + LINE }
  };
}

interface ITitled {
  height?: number;
  margin?: { t?: number };
  title?: { text: string };
}

/** Draws a figure of plotly, again where it changes; what a person zoomed into stays. */
export function Plot(props: { figure: IFigure; name: string }): JSX.Element {
  const { figure, name } = props;
  const node = React.useRef<HTMLDivElement>(null);
  const [isDrawn, setIsDrawn] = React.useState(false);

  React.useEffect(() => {
    let isStale = false;
    void plotly().then(async library => {
      const target = node.current;
      if (isStale || !target) {
        return;
      }
      const isNarrow = target.offsetWidth > 0 && target.offsetWidth < NARROW;
      const layout = {
        ...(isNarrow ? narrowed(figure.layout) : figure.layout),
        autosize: true,
        width: undefined,
        paper_bgcolor: 'rgba(0,0,0,0)',
        plot_bgcolor: 'rgba(0,0,0,0)',
        uirevision: name
      };
      await library.react(target, figure.data, layout, {
        ...CONFIG,
        displayModeBar: isNarrow ? false : CONFIG.displayModeBar
      });
      setIsDrawn(true);
    });
    return () => {
      isStale = true;
    };
  }, [figure, name]);

  React.useEffect(() => {
    const target = node.current;
    if (!isDrawn || !target) {
      return;
    }
    let frame = 0;
    const observer = new ResizeObserver(() => {
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(() => {
        if (target.offsetWidth) {
          void plotly().then(library => library.Plots.resize(target));
        }
      });
    });
    observer.observe(target);
    return () => {
      cancelAnimationFrame(frame);
      observer.disconnect();
      void plotly().then(library => library.purge(target));
    };
  }, [isDrawn]);

  const height = Number(figure.layout.height ?? 280);
  return <div ref={node} className="jp-HpoPlot" style={{ minHeight: height }} />;
}
