import { type EndpointScan, scanEndpoint } from '@nhip/edge-agent/drivers/opcua/scan';

/** Asks a server what it offers and prints it. Rejects when it does not answer. */
export async function scanOpcua(endpoint: string, isJson: boolean): Promise<number> {
  const found = await scanEndpoint(endpoint);
  process.stdout.write(isJson ? `${JSON.stringify(found)}\n` : scanText(found));
  return 0;
}

function scanText({ url, serverName, applicationUri, certificate, endpoints, namespaces }: EndpointScan): string {
  const rows = endpoints.map(({ securityMode, securityPolicy, userTokens, isSupported }) =>
    `  ${securityMode.padEnd(15)} ${securityPolicy.padEnd(24)} login: ${userTokens.join(', ') || 'none'}${isSupported ? '' : '  (not supported here)'}`.trimEnd(),
  );
  return `${[
    `${url}  ${serverName ?? 'a server without a name'}${applicationUri === null ? '' : `  ${applicationUri}`}`,
    ...(certificate === null
      ? []
      : [`  certificate SHA-256 ${certificate.thumbprintSha256}, until ${new Date(certificate.validToMs).toISOString().slice(0, 10)}`]),
    ...rows,
    ...(namespaces === null
      ? ['  Nobody is let in without security: its namespaces are not known.']
      : namespaces.map((uri, i) => `  namespace ${i}  ${uri}`)),
  ].join('\n')}\n`;
}
