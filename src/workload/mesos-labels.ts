/** Labels that Mesos puts into the network configuration, made fit for Calico. Pure. */

export interface MesosLabel {
  readonly key: string;
  readonly value: string;
}

const NAMESPACE_LABEL = 'projectcalico.org/namespace';

/** `/` becomes `.`, other foreign characters `-`, runs with a dot one dot; dots and dashes at the ends go. */
export function sanitizeMesosLabel(text: string): string {
  return text
    .replaceAll('/', '.')
    .replace(/[^-_.a-zA-Z0-9]+/g, '-')
    .replace(/[.-]*\.[.-]*/g, '.')
    .replace(/^[.-]+|[.-]+$/g, '');
}

/** The labels of the endpoint; the namespace label is not one of them but names the endpoint's namespace. */
export function mesosLabels(labels: readonly MesosLabel[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    labels
      .filter(({ key }) => key !== NAMESPACE_LABEL)
      .map(({ key, value }) => [sanitizeMesosLabel(key), sanitizeMesosLabel(value)]),
  );
}

/** The namespace that the labels ask for, if any. */
export function mesosNamespace(labels: readonly MesosLabel[]): string | undefined {
  const value = labels.findLast(({ key }) => key === NAMESPACE_LABEL)?.value;
  return value === undefined ? undefined : sanitizeMesosLabel(value) || undefined;
}
