// The "messages" of a request, read tolerantly: clients add fields of their own to messages and to
// their parts, and send back what other servers answered them with. Fields that are not known there
// are ignored; what cannot be said to the model is refused.
#pragma once

#include <vector>

#include "ebt/serve/chat_template.h"
#include "ebt/serve/json_fields.h"

namespace ebt {

// At least one message. Throws ApiError naming the message that is wrong.
std::vector<ChatMessage> read_messages(JsonFields& body);

}  // namespace ebt
