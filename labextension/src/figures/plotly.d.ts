/** What is used of plotly.js. */
declare module 'plotly.js-dist-min' {
  export type Data = Record<string, unknown>;
  export type Layout = Record<string, unknown>;
  export interface IConfig {
    displaylogo?: boolean;
    responsive?: boolean;
    modeBarButtons?: string[][];
    displayModeBar?: boolean | 'hover';
  }
  export interface IPlotly {
    react(
      node: HTMLElement,
      data: Data[],
      layout: Layout,
      config: IConfig
    ): Promise<void>;
    purge(node: HTMLElement): void;
    Plots: { resize(node: HTMLElement): Promise<void> | void };
  }
  const plotly: IPlotly;
  export default plotly;
}
