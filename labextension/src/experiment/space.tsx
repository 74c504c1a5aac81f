import * as React from 'react';
import { number } from '../format/numbers';
import { isAtBound, position } from '../format/scale';
import { conditionOf, rangeInWords, scaleInWords, typeInWords } from './parameters';
import { Picture } from './pictures';
import { useView, type IExperimentProps } from './view';

/** What is searched, and where the best values lie in it. */
export function Space(props: IExperimentProps): JSX.Element {
  const { experiment } = props;
  const { trans } = useView();
  const { parameters, written, best } = experiment;
  if (!parameters.length) {
    return <p className="q sm">{trans.__('It has no parameters.')}</p>;
  }
  const hasConditions = parameters.some(conditionOf);
  const hasWritten = Object.keys(written).length > 0;
  return (
    <>
      <Picture name="space" />
      <div className="hpo-scroll" tabIndex={0}>
        <table aria-label={trans.__('Parameters')}>
          <thead>
            <tr>
              <th scope="col">{trans.__('Parameter')}</th>
              <th scope="col" className="lft">
                {trans.__('Type')}
              </th>
              <th scope="col" className="lft">
                {trans.__('Range')}
              </th>
              <th scope="col" className="lft">
                {trans.__('Scale')}
              </th>
              {hasConditions ? (
                <th scope="col" className="lft">
                  {trans.__('Only where')}
                </th>
              ) : null}
              {hasWritten ? <th scope="col">{trans.__('As written')}</th> : null}
              <th scope="col">{trans.__('Best')}</th>
            </tr>
          </thead>
          <tbody>
            {parameters.map(parameter => {
              const { name } = parameter;
              const isInteger = parameter.parameterType === 'int';
              const value = best?.parameters[name];
              const place = position(parameter, value);
              return (
                <tr key={name}>
                  <td>
                    <code>{name}</code>
                  </td>
                  <td className="lft">{typeInWords(parameter, trans)}</td>
                  <td className="lft jp-HpoWrap">{rangeInWords(parameter, trans)}</td>
                  <td className="lft">{scaleInWords(parameter, trans)}</td>
                  {hasConditions ? (
                    <td className="lft">
                      <code>{conditionOf(parameter)}</code>
                    </td>
                  ) : null}
                  {hasWritten ? (
                    <td className="q">{number(written[name], isInteger)}</td>
                  ) : null}
                  <td>
                    <b>{best ? number(value, isInteger) || '–' : '–'}</b>
                    {place === null ? null : (
                      <span
                        className={isAtBound(place) ? 'rng edge' : 'rng'}
                        style={{ '--p': place.toFixed(3) } as React.CSSProperties}
                      />
                    )}
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </>
  );
}
