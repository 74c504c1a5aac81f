import { LabIcon } from '@jupyterlab/ui-components';
import svgstr from '../../style/hpo.svg';

/** A best-so-far curve with its star: the sign of hpo_lab in JupyterLab. */
export const hpoIcon = new LabIcon({ name: 'hpo-lab:icon', svgstr });
