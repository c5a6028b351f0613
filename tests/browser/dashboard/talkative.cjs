// Loaded before a user function, makes it print what the file TALK holds whenever it gets SIGUSR2.
const { readFileSync } = require('node:fs');

process.on('SIGUSR2', () => process.stdout.write(readFileSync(process.env.TALK, 'utf8')));
