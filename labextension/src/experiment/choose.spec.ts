import { nullTranslator } from '@jupyterlab/translation';
import { ended } from '../testing/server';
import { choices } from './choose';

it('tells experiments of one name apart, by folder, store or identifier', () => {
  const own = (uid: string, fields: object) => ended('digits', { uid, ...fields });
  const all = [
    own('a', {}),
    own('b', { store: 'b.db' }),
    own('c', { project: '/tmp', store: 'b.db' }),
    own('d'.repeat(32), { project: '/tmp', store: 'b.db' }),
    ended('prices')
  ];
  const items = choices(all, nullTranslator.load(''));
  expect(items).toEqual([
    'digits (/home/me/work, a.db)',
    'digits (/home/me/work, b.db)',
    'digits (/tmp, b.db, c)',
    'digits (/tmp, b.db, dddddddd)',
    'prices'
  ]);
  expect(new Set(items).size).toBe(all.length);
});
