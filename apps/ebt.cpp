// The `ebt` program: one subcommand for everything one does with a model.
#include <fmt/format.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <new>
#include <sstream>
#include <string>
#include <system_error>
#include <thread>

#include "command_line.h"
#include "commands.h"
#include "ebt/core/error.h"
#include "ebt/core/message.h"
#include "ebt/dist/launcher.h"
#include "ebt/io/mapped_ranges.h"
#include "output.h"
#include "stop_signals.h"
#include "version.h"

namespace {

// Threads that wait for one another spin for some milliseconds by default. Where cores are shared
// with other programs, that stretches every step of a small model tenfold and more: spin for 0.1
// ms, then sleep. OpenMP reads this setting before main() begins, so the program starts itself once
// more; where it cannot, it goes on without. The system calls a process after the file that it was
// started from, "exe" then: it is given its name again.
void wait_politely(char** argv) {
  if (std::getenv("GOMP_SPINCOUNT") == nullptr && std::getenv("OMP_WAIT_POLICY") == nullptr) {
    setenv("GOMP_SPINCOUNT", "2000", 1);
    execv("/proc/self/exe", argv);
  }
  prctl(PR_SET_NAME, "ebt");
}

// Help that shows the two names of a switch as they are typed.
class HelpFormatter : public CLI::Formatter {
 public:
  std::string make_option_name(const CLI::Option* option, bool is_positional) const override {
    const std::string name = CLI::Formatter::make_option_name(option, is_positional);
    return name.substr(0, name.find("{false}"));
  }
};

struct GlobalFlags {
  bool version = false;
  bool json = false;
};

void describe(CLI::App& app, GlobalFlags& flags) {
  app.description(
      "Train Energy-Based Transformers, and let them think.\n"
      "An Energy-Based Transformer scores how well a prediction fits its context, and thinks by\n"
      "descending that energy: more thinking steps, better predictions.");
  app.footer(
      "A first model, in three minutes:\n"
      "  ebt train --size 4xs --steps 800 --out model\n"
      "  ebt eval --model model --think-steps 4\n"
      "  ebt generate --model model --prompt 'The command ' --trace\n"
      "  ebt report --model model --out report.html\n"
      "'ebt COMMAND --help' teaches each of them.");
  app.require_subcommand(0, 1);
  app.formatter(std::make_shared<HelpFormatter>());
  app.get_formatter()->column_width(34);
  app.add_flag("--version", flags.version,
               "print the version, the commit, instruction sets and libraries");
  app.add_flag("--json", flags.json, "with --version: as one JSON object");
  ebt::register_train(app);
  ebt::register_eval(app);
  ebt::register_calibrate(app);
  ebt::register_denoise(app);
  ebt::register_probe(app);
  ebt::register_generate(app);
  ebt::register_solve(app);
  ebt::register_inspect(app);
  ebt::register_report(app);
  ebt::register_tokenizer(app);
  ebt::register_data(app);
  ebt::register_lab(app);
  ebt::register_bench(app);
#ifdef EBT_HAVE_SERVE
  ebt::register_serve(app);
#endif
  ebt::register_about(app);
}

void obey(CLI::App& app, const GlobalFlags& flags, int argc, char** argv) {
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& help) {
    std::ostringstream text;
    app.exit(help, text, text);
    fmt::print("{}", text.str());
    return;
  }
  if (flags.version && flags.json) {
    ebt::output_json(ebt::version_json());
  } else if (flags.version) {
    fmt::print("{}", ebt::version_text());
  } else {
    EBT_CHECK(!app.get_subcommands().empty(), "no command: say what to do, as in 'ebt train'");
  }
}

// What is wrong with one process of a job is mostly wrong with all: the first says it, and its end
// makes the launcher end the others. Returns who else speaks: "rank 3: ".
std::string let_rank_0_speak() {
  try {
    if (const auto launch = ebt::find_launch(); launch && launch->rank > 0) {
      std::this_thread::sleep_for(std::chrono::seconds(2));
      return fmt::format("rank {}: ", launch->rank);
    }
  } catch (const ebt::Error&) {
    // That is the failure.
  }
  return "";
}

int run(int argc, char** argv) {
  constexpr int kReaderGone = 128 + SIGPIPE;  // as shells show it
  CLI::App app("", "ebt");
  GlobalFlags flags;
  std::string sentence;
  try {
    describe(app, flags);
    obey(app, flags, argc, argv);
    ebt::close_output();
    return 0;
  } catch (const ebt::OutputClosed&) {
    return kReaderGone;
  } catch (const CLI::ParseError& error) {
    sentence = ebt::parse_failure(app, error);
  } catch (const ebt::Error& error) {
    sentence = error.what();
  } catch (const std::bad_alloc&) {
    sentence = "the machine has not enough memory for this";
  } catch (const std::system_error& error) {
    // Printing throws it where the standard output cannot be written.
    if (std::ferror(stdout) != 0 && error.code().value() == EPIPE) {
      return kReaderGone;
    }
    sentence = std::ferror(stdout) != 0
                   ? "cannot write to the standard output: " + error.code().message()
                   : error.what();
  } catch (const std::exception& error) {
    sentence = error.what();
  }
  ebt::tell(let_rank_0_speak() + sentence, fmt::format("'{} --help' explains its flags",
                                                       ebt::full_name(ebt::chosen_command(app))));
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  ebt::fill_closed_streams();
  wait_politely(argv);
  ebt::tell_of_cut_files();
  return run(argc, argv);
}
