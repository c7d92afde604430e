// A conversation: what was said so far, and how the page shows it.

const kNames = {system: 'System', user: 'User', assistant: 'Assistant'};

// What stands before the answer on the page. What the model reads follows its own template.
export function transcript(messages) {
  return messages.map(({role, content}) => `${kNames[role]}: ${content}\n\n`).join('') + 'Assistant: ';
}

export function makeChat() {
  let said = [];

  return {
    said: () => said.length > 0,
    // The messages of a request that goes on with `prompt`.
    ask: (system, prompt) => [
      ...(system ? [{role: 'system', content: system}] : []), ...said, {role: 'user', content: prompt}],
    answered(prompt, answer) {
      said = [...said, {role: 'user', content: prompt}, {role: 'assistant', content: answer}];
    },
    forget() {
      said = [];
    },
  };
}
