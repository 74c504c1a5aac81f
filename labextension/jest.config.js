// JupyterLab and what it is made of are ES modules, which jest reads as CommonJS.
const modules = [
  '@jupyter',
  '@jupyterlab',
  '@lumino',
  '@microsoft',
  '@codemirror',
  '@lezer'
];
const single = [
  'exenv-es6',
  'lib0',
  'y-protocols',
  'y-websocket',
  'yjs',
  'color',
  'd3',
  'nanoid'
];

module.exports = {
  // A machine that does other things takes its time.
  testTimeout: 60_000,
  testEnvironment: 'jest-fixed-jsdom',
  testRegex: 'src/.*\\.spec\\.tsx?$',
  setupFiles: ['<rootDir>/jest.setup.js'],
  transform: {
    '\\.(t|j)sx?$': [
      '@swc/jest',
      {
        jsc: {
          parser: { syntax: 'typescript', tsx: true, decorators: true },
          target: 'es2022'
        },
        module: { type: 'commonjs' }
      }
    ],
    '\\.svg$': '<rootDir>/jest.svg.js'
  },
  moduleNameMapper: { '\\.css$': '<rootDir>/jest.style.js' },
  transformIgnorePatterns: [
    `/node_modules/(?!(${[...modules.map(name => `${name}/`), ...single].join('|')}))`
  ]
};
