import { describe, expect, it } from 'vitest';
import { ModbusExceptionError, ModbusWrongAnswerError } from './errors.ts';
import { identifyExchange } from './identify.ts';
import {
  maskWriteExchange,
  readExchange,
  readWriteExchange,
  writeCoilExchange,
  writeCoilsExchange,
  writeRegisterExchange,
  writeRegistersExchange,
} from './pdu.ts';

const hex = (text: string): Buffer => Buffer.from(text, 'hex');

describe('requests and answers', () => {
  // Requests and answers as in the examples of the Modbus Application Protocol V1.1b3, §6.
  it.each([
    ['1 read coils', readExchange({ unit: 1, table: 'coil', start: 0x13, count: 0x13 }), '0100130013', '0103cd6b05', 'cd6b05'],
    [
      '2 read discrete inputs',
      readExchange({ unit: 1, table: 'discrete', start: 0xc4, count: 0x16 }),
      '0200c40016',
      '0203acdb35',
      'acdb35',
    ],
    [
      '3 read registers',
      readExchange({ unit: 1, table: 'holding', start: 0x6b, count: 3 }),
      '03006b0003',
      '0306022b00000064',
      '022b00000064',
    ],
    ['4 read input registers', readExchange({ unit: 1, table: 'input', start: 8, count: 1 }), '0400080001', '0402000a', '000a'],
    ['5 write a coil', writeCoilExchange(1, 0xac, true), '0500acff00', '0500acff00', '0500acff00'],
    ['6 write a register', writeRegisterExchange(1, 1, 3), '0600010003', '0600010003', '0600010003'],
    ['15 write coils', writeCoilsExchange(1, 0x13, true), '0f001300010101', '0f00130001', '0f00130001'],
    ['16 write registers', writeRegistersExchange(1, 1, hex('000a0102')), '100001000204000a0102', '1000010002', '1000010002'],
    ['22 mask write', maskWriteExchange(1, 4, 0xf2, 0x25), '16000400f20025', '16000400f20025', '16000400f20025'],
    [
      '23 read and write registers',
      readWriteExchange({ unit: 1, table: 'holding', start: 3, count: 6 }, 0x0e, hex('00ff00ff00ff')),
      '1700030006000e00030600ff00ff00ff',
      '170c00fe0acd00010003000d00ff',
      '00fe0acd00010003000d00ff',
    ],
  ])('function %s', (_, exchange, request, answer, data) => {
    expect(exchange.pdu.toString('hex')).toBe(request);
    expect(exchange.readAnswer(hex(answer)).toString('hex')).toBe(data);
    // On a serial line the length of the answer must be known from its beginning.
    expect(exchange.answerBytes(hex(answer))).toBe(answer.length / 2);
    expect(() => exchange.readAnswer(Buffer.from([(exchange.pdu[0] ?? 0) | 0x80, 2]))).toThrow(ModbusExceptionError);
    expect(exchange.answerBytes(Buffer.from([(exchange.pdu[0] ?? 0) | 0x80]))).toBe(2);
    expect(() => exchange.readAnswer(hex(`${answer}00`))).toThrow(ModbusWrongAnswerError);
    expect(() => exchange.readAnswer(hex('2b00'))).toThrow(ModbusWrongAnswerError);
  });

  it('function 43/14: the length follows from the objects', () => {
    const answer = hex('2b0e0101000002000241420104434a4c4d');
    const exchange = identifyExchange(1, 1, 0);
    expect(exchange.pdu.toString('hex')).toBe('2b0e0100');
    expect(exchange.answerBytes(answer.subarray(0, 6))).toBeUndefined();
    expect(exchange.answerBytes(answer.subarray(0, 8))).toBeUndefined();
    expect(exchange.answerBytes(answer)).toBe(answer.length);
    expect(() => exchange.readAnswer(answer.subarray(0, -1))).toThrow(ModbusWrongAnswerError);
  });

  it.each([
    ['too many registers', () => readExchange({ unit: 1, table: 'holding', start: 0, count: 126 })],
    ['too many coils', () => readExchange({ unit: 1, table: 'coil', start: 0, count: 2001 })],
    ['nothing', () => readExchange({ unit: 1, table: 'holding', start: 0, count: 0 })],
    ['what lies behind the last register', () => readExchange({ unit: 1, table: 'holding', start: 65_535, count: 2 })],
    ['half a register', () => writeRegistersExchange(1, 0, Buffer.alloc(3))],
    ['more than one request can write', () => writeRegistersExchange(1, 0, Buffer.alloc(248))],
  ])('asks nobody for %s', (_, make) => {
    expect(make).toThrow(RangeError);
  });
});
