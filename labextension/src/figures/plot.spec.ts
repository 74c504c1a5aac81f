import { narrowed } from './plot';

it('puts what stands beside a title below it in a narrow place', () => {
  const title = { text: '<b>Importances</b>  <span style="">of 40 trials</span>' };
  expect(narrowed({ title, height: 100, margin: { l: 9, t: 38 } })).toEqual({
    title: { text: '<b>Importances</b><br><span style="">of 40 trials</span>' },
    height: 116,
    margin: { l: 9, t: 54 }
  });
  const plain = { title: { text: '<b>Rungs</b>' } };
  expect(narrowed(plain)).toBe(plain);
});
