import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { readCompose } from '../harness/compose-file.ts';
import { checkout } from '../harness/nhip.ts';

const { document, services } = readCompose();
const volumes = Object.keys(document.volumes as object);
/** They end when they are done. */
const once = ['init', 'prepare-influxdb'];

/** The schema names its dialect by an address that Ajv does not know it by. */
function schema(): object {
  const { $schema: _, ...rest } = JSON.parse(readFileSync(join(checkout, 'packaging/docker/compose-spec/compose-spec.json'), 'utf8'));
  return rest;
}

describe('docker-compose.yml', () => {
  it('is what the Compose specification asks for', () => {
    const validate = new Ajv({ strict: false, allErrors: true, validateFormats: false }).compile(schema());
    expect(validate(document) ? [] : validate.errors).toEqual([]);
    // The check can fail.
    expect(validate({ ...document, services: { broken: { imagee: 'x' } } })).toBe(false);
  });

  it('pins every image', () => {
    // PostgreSQL's releases have two numbers.
    for (const { image } of services) expect(image).toMatch(/^([a-z/-]+:v?\d+\.\d+\.\d+|postgres:\d+\.\d+)$/);
  });

  it('builds each image of ours once, and never asks a registry for it', () => {
    const builders = services.filter(({ raw }) => raw.build !== undefined);
    expect(builders.map(({ name, image }) => [name, image])).toEqual([
      ['init', 'nhip-server:0.1.0'],
      ['edge-cnc', 'nhip-edge:0.1.0'],
    ]);
    // What is not built is pulled, and nobody publishes these.
    for (const { name, raw } of services.filter(({ target, raw }) => target !== undefined && raw.build === undefined)) {
      expect([name, raw.pull_policy]).toEqual([name, 'never']);
    }
  });

  it.each(services.filter(({ name }) => !once.includes(name)))('$name runs without rights, and its health is looked at', (service) => {
    expect(service.user).toMatch(/^[1-9]\d*:\d+$/);
    expect(service.raw).toMatchObject({ read_only: true, cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] });
    expect(service.raw.cap_add).toBeUndefined();
    expect(service.healthcheck?.test[0]).toBe('CMD');
  });

  it('lets only its first service start as root, without a network and with no rights but over files', () => {
    expect(services.filter(({ user }) => user.startsWith('0')).map(({ name }) => name)).toEqual(['init']);
    expect(services.find(({ name }) => name === 'init')?.raw).toMatchObject({
      network_mode: 'none',
      cap_drop: ['ALL'],
      cap_add: ['CHOWN', 'DAC_OVERRIDE', 'FOWNER'],
    });
  });

  it('opens ports to this computer only', () => {
    const ports = services.flatMap((service) => service.ports);
    expect(ports.length).toBe(4);
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/);
  });

  it('holds no password: they come from files', () => {
    const named = services.flatMap(({ environment }) => Object.entries(environment)).filter(([name]) => /PASSWORD|TOKEN|SECRET/.test(name));
    expect(named.length).toBeGreaterThan(4);
    for (const [, value] of named) expect(value).toMatch(/^\//);
  });

  it('mounts what is there, and waits for what is there', () => {
    for (const { mounts, dependsOn, networks } of services) {
      for (const { source } of mounts) {
        if (source.startsWith('./')) expect([source, existsSync(join(checkout, source))]).toEqual([source, true]);
        else expect(volumes).toContain(source);
      }
      for (const network of networks) expect(Object.keys(document.networks as object)).toContain(network);
      for (const [name, { condition }] of Object.entries(dependsOn)) {
        const other = services.find((service) => service.name === name);
        expect(other).toBeDefined();
        if (condition === 'service_healthy') expect(other?.healthcheck).toBeDefined();
        if (condition === 'service_completed_successfully') expect(once).toContain(name);
      }
    }
  });
});
