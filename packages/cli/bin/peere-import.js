#!/usr/bin/env node
import '../dist/peere-import.js';
