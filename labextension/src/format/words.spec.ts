import { nullTranslator } from '@jupyterlab/translation';
import { ended, glance } from '../testing/server';
import { tallyInWords } from './words';

const trans = nullTranslator.load('hpo_lab');

it('counts trials that were interrupted as waiting for a resume, where it is over', () => {
  const trials = { Succeeded: 3, Created: 2 };

  const stopped = ended('a', { state: 'Stopped', trials });

  expect(tallyInWords(stopped, trans)).toBe('3 succeeded, 2 waiting for resume');
  expect(tallyInWords(glance('a', { trials }), trans)).toBe('3 succeeded');
});
