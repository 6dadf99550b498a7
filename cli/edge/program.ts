/** What a person types to reach the edge commands: the bundle for gateways has a program of its own. */
export const edgeProgram = process.env.NHIP_EDGE_PROGRAM ?? 'nhip edge';
