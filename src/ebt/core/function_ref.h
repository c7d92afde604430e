// FunctionRef: a reference to something that can be called, for parameters that are called and not
// kept. Unlike std::function it copies and allocates nothing.
#pragma once

#include <type_traits>
#include <utility>

namespace ebt {

template <class Signature>
class FunctionRef;

// Valid as long as what it was made of.
template <class Result, class... Arguments>
class FunctionRef<Result(Arguments...)> {
 public:
  template <class Function>
  // NOLINTNEXTLINE(google-explicit-constructor): a lambda is passed as it is
  FunctionRef(const Function& function) requires(!std::is_same_v<Function, FunctionRef>)
      : function_(&function), call_([](const void* f, Arguments... arguments) -> Result {
          return (*static_cast<const Function*>(f))(std::forward<Arguments>(arguments)...);
        }) {}

  Result operator()(Arguments... arguments) const {
    return call_(function_, std::forward<Arguments>(arguments)...);
  }

 private:
  const void* function_;
  Result (*call_)(const void*, Arguments...);
};

}  // namespace ebt
