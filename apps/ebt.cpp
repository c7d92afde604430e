// The `ebt` program: one subcommand for everything one does with a model.
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <new>
#include <string>
#include <system_error>

#include "commands.h"
#include "ebt/core/error.h"
#include "ebt/io/mapped_ranges.h"
#include "stop_signals.h"

namespace {

// Threads that wait for one another spin for some milliseconds by default. Where cores are shared
// with other programs, that stretches every step of a small model tenfold and more: spin for 0.1
// ms, then sleep. OpenMP reads this setting before main() begins, so the program starts itself once
// more.
void wait_politely(char** argv) {
  if (std::getenv("GOMP_SPINCOUNT") == nullptr && std::getenv("OMP_WAIT_POLICY") == nullptr) {
    setenv("GOMP_SPINCOUNT", "2000", 1);
    execv("/proc/self/exe", argv);
  }
}

// Help that shows the two names of a switch as they are typed.
class HelpFormatter : public CLI::Formatter {
 public:
  std::string make_option_name(const CLI::Option* option, bool is_positional) const override {
    const std::string name = CLI::Formatter::make_option_name(option, is_positional);
    return name.substr(0, name.find("{false}"));
  }
};

// One sentence, and where to read more.
int report_failure(const CLI::App& app, const std::string& sentence) {
  std::string command = "ebt";
  for (auto chosen = app.get_subcommands(); !chosen.empty();
       chosen = chosen.front()->get_subcommands()) {
    command += " " + chosen.front()->get_name();
  }
  fmt::print(stderr, "ebt: {}\nhint: '{} --help' explains its flags\n", sentence, command);
  return 1;
}

// The first line of a parse error of the command line; the others only repeat the hint.
std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

int run(int argc, char** argv) {
  CLI::App app(
      "Train Energy-Based Transformers, and let them think.\n"
      "An Energy-Based Transformer scores how well a prediction fits its context, and thinks by\n"
      "descending that energy: more thinking steps, better predictions.",
      "ebt");
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
  ebt::register_train(app);
  ebt::register_eval(app);
  ebt::register_calibrate(app);
  ebt::register_denoise(app);
  ebt::register_probe(app);
  ebt::register_generate(app);
  ebt::register_inspect(app);
  ebt::register_report(app);
  ebt::register_tokenizer(app);
  ebt::register_data(app);
  ebt::register_lab(app);
  ebt::register_bench(app);
#ifdef EBT_HAVE_SERVE
  ebt::register_serve(app);
#endif
  try {
    app.parse(argc, argv);
    EBT_CHECK(!app.get_subcommands().empty(), "no command: say what to do, as in 'ebt train'");
  } catch (const CLI::Success& help) {
    return app.exit(help);
  } catch (const CLI::ParseError& error) {
    return report_failure(app, first_line(error.what()));
  } catch (const ebt::Error& error) {
    return report_failure(app, error.what());
  } catch (const std::bad_alloc&) {
    return report_failure(app, "the machine has not enough memory for this");
  }
  if (std::fflush(stdout) != 0) {
    return report_failure(
        app, "cannot write to the standard output: " + std::generic_category().message(errno));
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  ebt::fill_closed_streams();
  try {
    wait_politely(argv);
    ebt::tell_of_cut_files();
    return run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "ebt: %s\n", error.what());
    return 1;
  }
}
