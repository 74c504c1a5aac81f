import { isSameRelease } from './version';

it.each([
  ['0.1.0', '0.1.0.dev0', true],
  ['0.1.0', '0.1', true],
  ['1.2.0', '1.2.0rc1', true],
  ['0.1.0', '0.2.0', false],
  ['0.1.1', '0.1.0', false]
])('%s and %s', (one, other, isSame) => {
  expect(isSameRelease(one, other)).toBe(isSame);
});
