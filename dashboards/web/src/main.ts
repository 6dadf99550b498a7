import { mount } from 'svelte';
import App from './app.svelte';
import './app.css';
import { locale } from './i18n/locale.svelte.ts';
import { router } from './route/router.svelte.ts';
import { session } from './session/session.svelte.ts';
import { theme } from './shell/theme.svelte.ts';

router.start();
locale.start(router.query.get('lang'));
theme.start();
void session.refresh();

const target = document.getElementById('app');
if (target !== null) mount(App, { target });
