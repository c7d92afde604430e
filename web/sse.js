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
    let begin = after_return && piece.startsWith('\n') ? 1 : 0;
    if (piece !== '') after_return = piece.endsWith('\r');
    for (const end of piece.matchAll(/\r\n?|\n/g)) {
      if (end.index < begin) continue;
      line += piece.slice(begin, end.index);
      end_line(events);
      begin = end.index + end[0].length;
    }
    line += piece.slice(begin);
    return events;
  };
}
