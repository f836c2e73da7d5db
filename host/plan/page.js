
'use strict';
const input = document.getElementById('filter');
const found = document.querySelector('.filter output');
const owners = [...document.querySelectorAll('tbody')].map(body => [body, body.querySelector('th').textContent]);
const zones = [...document.querySelectorAll('.zone')];
const opened = new Set(zones.filter(zone => zone.open));
function filter() {
  const wanted = input.value.trim().toLowerCase();
  let shown = 0;
  for (const [body, owner] of owners) {
    const fits = owner.includes(wanted);
    body.hidden = !fits;
    shown += fits;
  }
  for (const zone of zones) {
    const fits = wanted === '' || zone.querySelector('tbody:not([hidden])') !== null;
    zone.hidden = !fits;
    zone.open = wanted === '' ? opened.has(zone) : fits;
  }
  found.textContent = wanted === '' ? '' : shown + (shown === 1 ? ' name' : ' names');
}
input.addEventListener('input', filter);
document.querySelector('.filter').hidden = owners.length === 0;
