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
  loading ??= import(/* webpackChunkName: "plotly" */ 'plotly.js-dist-min').then(
    module => module.default ?? (module as unknown as IPlotly)
  );
  return loading;
}

const CONFIG = {
  displaylogo: false,
  displayModeBar: 'hover' as const,
  modeBarButtons: [['toImage', 'resetScale2d']]
};

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
      const layout = {
        ...figure.layout,
        autosize: true,
        width: undefined,
        paper_bgcolor: 'rgba(0,0,0,0)',
        plot_bgcolor: 'rgba(0,0,0,0)',
        uirevision: name
      };
      await library.react(target, figure.data, layout, CONFIG);
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
