import './styles/main.css';
import { render } from 'preact';
import { App } from './app';
import { startLive } from './state/live';
import { applyTheme } from './state/preferences';

applyTheme();
startLive();
render(<App />, document.getElementById('app')!);
