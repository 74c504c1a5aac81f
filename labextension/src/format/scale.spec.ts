import { isAtBound, position } from './scale';

it('says where a value lies on the scale of its parameter', () => {
  const lr = {
    name: 'lr',
    parameterType: 'double',
    feasibleSpace: { min: 0.0001, max: 0.1, distribution: 'logUniform' }
  };
  const units = {
    name: 'n',
    parameterType: 'int',
    feasibleSpace: { min: 16, max: 512 }
  };
  const choice = {
    name: 'c',
    parameterType: 'categorical',
    feasibleSpace: { list: [1] }
  };
  expect(position(lr, 0.01)).toBeCloseTo(2 / 3);
  expect(position(lr, 0)).toBeNull();
  expect(position(units, 512)).toBe(1);
  expect(position(units, undefined)).toBeNull();
  expect(position(choice, 1)).toBeNull();
  expect(isAtBound(1)).toBe(true);
  expect(isAtBound(0.5)).toBe(false);
});
