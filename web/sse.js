// Server-sent events, from pieces of text cut anywhere.

// Returns a function that takes a piece and gives back the data of the events it completes.
export function eventReader() {
  let line = '';  // of the last, unfinished line
  let data = [];  // lines of the unfinished event
  let after_return = false;  // the last piece ended in \r: a \n that follows belongs to it

  function end_line(events) {
    if (line === '') {
      if (data.length > 0) events.push(data.join('\n'));
      data = [];
    } else {
      const colon = line.indexOf(':');
      const field = colon < 0 ? line : line.slice(0, colon);
      const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
      if (field === 'data') data.push(value);  // comments, ids and names are not for us
    }
    line = '';
  }

  return function read(piece) {
    const events = [];
    for (const character of piece) {
      if (character === '\n' && after_return) {
        after_return = false;
        continue;
      }
      after_return = character === '\r';
      if (character === '\n' || character === '\r') end_line(events);
      else line += character;
    }
    return events;
  };
}
