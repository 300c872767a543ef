#!/usr/bin/env node
import '../dist/import.js';
