# Lets the program write its manual page and its completion for shells:
#   cmake -DEBT=... -DFOLDER=... -P documents.cmake
file(MAKE_DIRECTORY ${FOLDER})
foreach(document "man;ebt.1" "completion;bash;ebt.bash" "completion;zsh;_ebt")
  list(POP_BACK document file)
  execute_process(COMMAND ${EBT} ${document} OUTPUT_FILE ${FOLDER}/${file} COMMAND_ERROR_IS_FATAL ANY)
endforeach()
