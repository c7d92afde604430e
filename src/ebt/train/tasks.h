// Every task, by the kind of its models.
#pragma once

#include "ebt/model/model_kind.h"
#include "ebt/train/image_task.h"
#include "ebt/train/infill_task.h"
#include "ebt/train/text_task.h"
#include "ebt/train/video_task.h"

namespace ebt {

// Returns visit.template operator()<Task>() of the task that trains models of `kind`.
template <class T, class Visit>
decltype(auto) with_task_of(ModelKind kind, Visit&& visit) {
  switch (kind) {
    case ModelKind::kImage:
      return visit.template operator()<ImageTask<T>>();
    case ModelKind::kInfill:
      return visit.template operator()<InfillTask<T>>();
    case ModelKind::kVideo:
      return visit.template operator()<VideoTask<T>>();
    case ModelKind::kText:
      break;
  }
  return visit.template operator()<TextTask<T>>();
}

}  // namespace ebt
