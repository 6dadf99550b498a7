import { problemMembers } from '@nhip/core/process/http-problem';
import { z } from 'zod';

export const problemDocument = z.strictObject(problemMembers).meta({ id: 'Problem' });

export const problemType = 'application/problem+json; charset=utf-8';
