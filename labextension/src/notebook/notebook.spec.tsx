import { act, fireEvent, render, screen } from '@testing-library/react';
import { nullTranslator } from '@jupyterlab/translation';
import * as React from 'react';
import { Client, Refusal } from '../api/client';
import type { EditedCell, Options, Tunable } from '../api/types';
import { Cells } from './cells';
import { rewrite } from './edit';
import { example } from './example';
import { LineForm } from './lineForm';
import { changesOf, lineOf, objectivesOf, withAlgorithm, withRule } from './line';
import { linesOf } from './marks';
import { ValueForm } from './valueForm';
import { annotationOf, fieldsOf } from './words';

const trans = nullTranslator.load('hpo_lab');

const NOTHING = { parameters: [], problems: [], values: [], metrics: [], tune: null };

function value(word: string, ...texts: string[]): Tunable {
  return {
    name: 'units',
    value: 64,
    first: 1,
    last: 1,
    annotation: '',
    words: { word, arguments: texts, step: '', when: '' }
  };
}

describe('rewrite', () => {
  it.each([
    ['x = 1\ny = 2', 'x = 1  # tune: int(0, 4)\ny = 2', [5, 5]],
    ['aa', 'a', [1, 2]],
    ['a', 'aa', [1, 1]],
    ['abc', 'xyz', [0, 3]]
  ])('changes of %j only what differs', (before, after, place) => {
    let text = before;
    const places: number[][] = [];
    rewrite(
      {
        getSource: () => text,
        updateSource: (start, end, inserted = '') => {
          places.push([start, end]);
          text = text.slice(0, start) + inserted + text.slice(end);
        }
      },
      after
    );
    expect(text).toBe(after);
    expect(places).toEqual([place]);
  });
});

describe('an annotation', () => {
  it.each([
    ['int', ['1', '9'], 'int(1, 9)'],
    ['loguniform', ['1e-4', '1'], 'loguniform(1e-4, 1)'],
    ['choice', ['"a"', '"b"'], 'choice("a", "b")']
  ])('of %s is what its fields say', (word, texts, annotation) => {
    expect(annotationOf(fieldsOf(value(word, ...texts)))).toBe(annotation);
  });

  it('has a step and a condition where they are said, and a scale that its kind has', () => {
    const fields = { ...fieldsOf(value('int', '1', '9')), step: ' 2 ', when: 'a == 1' };
    expect(annotationOf(fields)).toBe('int(1, 9, step=2) when a == 1');
    expect(annotationOf({ ...fields, scale: 'log' })).toBe('logint(1, 9) when a == 1');
    expect(annotationOf({ ...fields, scale: 'lognormal' })).toBe(
      'int(1, 9, step=2) when a == 1'
    );
  });
});

describe('the line', () => {
  const options = [
    { flag: '--trials', default: '20', repeatable: false },
    { flag: '--warm-start', default: '', repeatable: true }
  ] as Options['options'];
  const cell = {
    ...NOTHING,
    metrics: ['score'],
    tune: {
      line: 1,
      objectives: 'minimize loss, maximize f1',
      options: {
        '--trials': ['9'],
        '--setting': ['gamma=0.1'],
        '--early-stopping': ['medianstop:start_step=2']
      }
    }
  };

  it('of a cell without one begins with what the cell assigns last', () => {
    expect(objectivesOf(lineOf({ ...cell, tune: null }))).toBe('maximize score');
  });

  it('says nothing new where nothing changes', () => {
    const before = lineOf(cell);
    expect(objectivesOf(before)).toBe('minimize loss, maximize f1');
    expect(changesOf(before, before, options)).toEqual({});
  });

  it('leaves out what is as it is anyway', () => {
    const before = lineOf({ ...cell, tune: null });
    const line = {
      ...before,
      texts: { '--trials': ['20'], '--warm-start': ['a ', '', 'b'] }
    };
    expect(changesOf(before, line, options)).toEqual({
      '--trials': [],
      '--warm-start': ['a', 'b']
    });
  });

  it('holds texts with spaces, and keeps what stands behind a repeated flag', () => {
    const tune = {
      line: 1,
      objectives: '',
      options: { '--constraint': ['size <= 10'] }
    };
    const before = lineOf({ ...cell, tune });
    const texts = { '--constraint': [...before.texts['--constraint'], 'time<=5'] };
    expect(changesOf(before, { ...before, texts }, options)).toEqual({
      '--constraint': ['size <= 10', 'time<=5']
    });
  });

  it('takes a metric without direction for a metric', () => {
    const of = (objectives: string) =>
      objectivesOf(lineOf({ ...cell, tune: { line: 1, objectives, options: {} } }));
    expect(of('acc')).toBe('maximize acc');
    expect(of('minimize acc other, maximize f1')).toBe(
      'minimize acc other, maximize f1'
    );
  });

  it('drops the settings of another algorithm and of another rule', () => {
    const before = lineOf(cell);
    const line = withRule(withAlgorithm(before, 'cmaes'), '');
    expect(changesOf(before, line, options)).toEqual({
      '--algorithm': ['cmaes'],
      '--setting': [],
      '--early-stopping': []
    });
    const other = {
      ...before,
      ruleSettings: { start_step: '3', min_trials_required: ' 2' }
    };
    expect(changesOf(before, other, options)).toEqual({
      '--early-stopping': ['medianstop:start_step=3,min_trials_required=2']
    });
  });
});

it('has a field for each text of a repeated flag, and one more', async () => {
  jest.useFakeTimers();
  const client = new Client();
  const ask = jest.spyOn(client, 'ask').mockResolvedValue({ ...NOTHING, source: '' });
  const constraint = {
    ...{ flag: '--constraint', form: 'METRIC<=VALUE', help: 'a bound', default: '' },
    ...{ repeatable: true, choices: [] as string[] }
  };
  const options = {
    ...{ options: [constraint], alongside: [], algorithms: [] },
    ...{ earlyStopping: [], distributions: [] }
  } as unknown as Options;
  const tune = {
    line: 1,
    objectives: 'maximize f1',
    options: { '--constraint': ['size <= 10'] }
  };
  const props = { cells: new Cells(client), source: '', options, store: '', trans };
  render(<LineForm {...props} cell={{ ...NOTHING, tune }} onChange={jest.fn()} />);
  const another = screen.getByLabelText('Constraint, no. 2');
  fireEvent.change(another, { target: { value: 'time<=5' } });
  await act(() => jest.advanceTimersByTimeAsync(500));
  expect(ask.mock.lastCall![1]!.body).toMatchObject({
    options: { '--constraint': ['size <= 10', 'time<=5'] }
  });
  expect(screen.getByLabelText('Constraint, no. 3')).toBeTruthy();
  jest.useRealTimers();
});

it.each([
  ['/data/x.db', '/data/x.db'],
  ['/data/run#1/x.db', "'/data/run#1/x.db'"],
  ["/a b/it's", `'/a b/it'"'"'s'`]
])('writes the store %s so that the line can be read', (store, written) => {
  expect(example(store).split('\n')[0]).toBe(
    `%%tune maximize accuracy --store ${written}`
  );
});

it('asks a server without answers about cells again after a while', async () => {
  jest.useFakeTimers();
  const client = new Client();
  jest.spyOn(client, 'ask').mockRejectedValue(new Refusal(404, 'Not Found'));
  const cells = new Cells(client);
  await expect(cells.read('x = 1')).rejects.toThrow('Not Found');
  expect(cells.isOff).toBe(true);
  jest.advanceTimersByTime(60_000);
  expect(cells.isOff).toBe(false);
  jest.useRealTimers();
});

it('marks a line once, with what is wrong before what it means', () => {
  const parameter = {
    line: 2,
    text: '',
    default: 0.1,
    parameter: {
      name: 'lr',
      parameterType: 'double',
      feasibleSpace: { min: '0.01', max: '1', distribution: 'logUniform' }
    }
  };
  const [mark] = linesOf({ ...NOTHING, parameters: [parameter] }, trans);
  expect(mark.tip).toBe(
    'lr is tuned: a number from 0.01 to 1, on a logarithmic scale; as written 0.1'
  );
  const problems = [
    { line: 2, message: 'one' },
    { line: 2, message: 'two' }
  ];
  expect(linesOf({ ...NOTHING, parameters: [parameter], problems }, trans)).toEqual([
    { line: 2, tip: 'one\ntwo', isWrong: true }
  ]);
});

it('takes a form over only when the server finds nothing wrong in what it says now', async () => {
  jest.useFakeTimers();
  const client = new Client();
  const ask = jest.spyOn(client, 'ask').mockImplementation(async (_, request) => {
    const { annotation } = request!.body as { annotation: string };
    const isWrong = annotation !== 'int(8, 128)';
    return {
      ...NOTHING,
      source: `units = 64  # tune: ${annotation}`,
      problems: isWrong ? [{ line: 1, message: 'too narrow' }] : []
    } as EditedCell;
  });
  const onChange = jest.fn();
  const props = { cells: new Cells(client), source: 'units = 64', trans, onChange };
  render(<ValueForm {...props} value={value('int', '100', '128')} />);
  await act(() => jest.advanceTimersByTimeAsync(500));
  expect(screen.getByRole('alert').textContent).toBe('too narrow');
  expect(onChange).toHaveBeenLastCalledWith(undefined);
  fireEvent.change(screen.getByLabelText('From'), { target: { value: '8' } });
  await act(() => jest.advanceTimersByTimeAsync(500));
  expect(onChange).toHaveBeenLastCalledWith('units = 64  # tune: int(8, 128)');
  fireEvent.change(screen.getByLabelText('To'), { target: { value: '9' } });
  expect(onChange).toHaveBeenLastCalledWith(undefined);
  expect(ask).toHaveBeenCalledTimes(2);
  jest.useRealTimers();
});
