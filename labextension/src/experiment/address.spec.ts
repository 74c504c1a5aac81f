import { addressOf, uidIn, withoutUid } from './address';

it('asks a JupyterLab for an experiment, once', () => {
  const address = addressOf('abc');
  expect(new URL(address).pathname).toBe('/lab');
  expect(uidIn(`${address}&reset`)).toBe('abc');
  expect(uidIn(withoutUid(address))).toBeNull();
});
