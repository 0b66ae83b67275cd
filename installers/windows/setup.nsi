; The installer for Windows: for one user, without administrator rights. Silent with /S; /URL=https://… sets up Claude Desktop too.
; Built by build.ts, which defines VERSION, IMAGE (the folder to install) and OUTPUT.
Unicode true
Target amd64-unicode
!ifdef UNCOMPRESSED
  ; For tests: in a second instead of a minute.
  SetCompress off
!else
  SetCompressor /SOLID lzma
!endif
RequestExecutionLevel user
ManifestDPIAware true

!include MUI2.nsh
!include FileFunc.nsh
!include LogicLib.nsh
!include path-entry.nsh

!define UNINSTALL_KEY "Software\Microsoft\Windows\CurrentVersion\Uninstall\mcp-bridge"

Name "mcp-bridge ${VERSION}"
OutFile "${OUTPUT}"
InstallDir "$LOCALAPPDATA\Programs\mcp-bridge"
InstallDirRegKey HKCU "${UNINSTALL_KEY}" "InstallLocation"
ShowInstDetails show
ShowUninstDetails show
VIProductVersion "${VERSION}.0"
VIAddVersionKey ProductName "mcp-bridge"
VIAddVersionKey FileDescription "mcp-bridge setup"
VIAddVersionKey FileVersion "${VERSION}"
VIAddVersionKey ProductVersion "${VERSION}"
VIAddVersionKey LegalCopyright "mcp-bridge contributors, MIT licence"

!define MUI_ABORTWARNING
!insertmacro MUI_PAGE_DIRECTORY
!insertmacro MUI_PAGE_INSTFILES
!insertmacro MUI_UNPAGE_CONFIRM
!insertmacro MUI_UNPAGE_INSTFILES
!insertmacro MUI_LANGUAGE English

; A program that runs keeps its file, but lets it be renamed. So what is running goes on, and its file goes when it can.
!macro SetAside FILE
  ${If} ${FileExists} "${FILE}"
    ClearErrors
    Delete "${FILE}"
    ${If} ${Errors}
      GetTempFileName $R9 "$INSTDIR"
      Delete "$R9"
      Rename "${FILE}" "$R9"
      Delete /REBOOTOK "$R9"
    ${EndIf}
  ${EndIf}
!macroend

; The files that this program brings. What else lies in the folder is not touched.
!macro RemoveFiles
  !insertmacro SetAside "$INSTDIR\runtime\node.exe"
  !insertmacro SetAside "$INSTDIR\node_modules\keytar\prebuilds\win32-x64\keytar.node"
  RMDir /r "$INSTDIR\bin"
  RMDir /r "$INSTDIR\cmd"
  RMDir /r "$INSTDIR\dist"
  RMDir /r "$INSTDIR\node_modules"
  RMDir /r "$INSTDIR\runtime"
  Delete "$INSTDIR\package.json"
  Delete "$INSTDIR\LICENSE"
  Delete "$INSTDIR\CHANGELOG.md"
  Delete "$INSTDIR\setup.log"
  ; What was set aside before, and is not in use any more.
  Delete "$INSTDIR\*.tmp"
!macroend

; Its exit code is in $0 then, and what it said in $2.
!macro RunBridge ARGUMENTS
  nsExec::ExecToStack '"$INSTDIR\runtime\node.exe" "$INSTDIR\bin\mcp-bridge.js" ${ARGUMENTS}'
  Pop $0
  Pop $2
  DetailPrint "$2"
!macroend

; Pushes what follows /URL= up to a space or the closing quote, or nothing. GetOptions would end it at the first slash.
Function UrlOfParameters
  ${GetParameters} $0
  StrCpy $1 ""
  StrCpy $2 0
  ${Do}
    StrCpy $3 $0 5 $2
    ${If} $3 == ""
      Push ""
      Return
    ${EndIf}
    ${If} $3 == "/URL="
      ${ExitDo}
    ${EndIf}
    IntOp $2 $2 + 1
  ${Loop}
  IntOp $2 $2 + 5
  StrCpy $4 " "
  StrCpy $3 $0 1 $2
  ${If} $3 == '"'
    StrCpy $4 '"'
    IntOp $2 $2 + 1
  ${EndIf}
  ${Do}
    StrCpy $3 $0 1 $2
    ${If} $3 == ""
    ${OrIf} $3 == $4
    ${OrIf} $3 == '"'
      ${ExitDo}
    ${EndIf}
    StrCpy $1 "$1$3"
    IntOp $2 $2 + 1
  ${Loop}
  Push $1
FunctionEnd

Section
  ; An upgrade leaves what runs alone: the next front of the new version takes the daemon over.
  !insertmacro RemoveFiles
  SetOutPath "$INSTDIR"
  ClearErrors
  File /r "${IMAGE}/*"
  ${If} ${Errors}
    DetailPrint "The files could not be written to $INSTDIR."
    SetErrorLevel 2
    Abort
  ${EndIf}
  WriteUninstaller "$INSTDIR\uninstall.exe"

  WriteRegStr HKCU "${UNINSTALL_KEY}" "DisplayName" "mcp-bridge"
  WriteRegStr HKCU "${UNINSTALL_KEY}" "DisplayVersion" "${VERSION}"
  WriteRegStr HKCU "${UNINSTALL_KEY}" "Publisher" "mcp-bridge contributors"
  WriteRegStr HKCU "${UNINSTALL_KEY}" "InstallLocation" "$INSTDIR"
  WriteRegStr HKCU "${UNINSTALL_KEY}" "UninstallString" '"$INSTDIR\uninstall.exe"'
  WriteRegStr HKCU "${UNINSTALL_KEY}" "QuietUninstallString" '"$INSTDIR\uninstall.exe" /S'
  WriteRegDWORD HKCU "${UNINSTALL_KEY}" "NoModify" 1
  WriteRegDWORD HKCU "${UNINSTALL_KEY}" "NoRepair" 1
  ${GetSize} "$INSTDIR" "/S=0K" $0 $1 $2
  WriteRegDWORD HKCU "${UNINSTALL_KEY}" "EstimatedSize" $0

  ; The folder with mcp-bridge.cmd alone: node.exe must not come before the user's own.
  Push "$INSTDIR\cmd"
  Call AddToPath

  Call UrlOfParameters
  Pop $1
  ${If} $1 != ""
    DetailPrint "Setting up Claude Desktop for $1"
    !insertmacro RunBridge 'setup "$1" --yes'
    ; Nobody sees the window of a silent installation.
    FileOpen $3 "$INSTDIR\setup.log" w
    FileWrite $3 "$2"
    FileClose $3
    ${If} $0 != 0
      DetailPrint "mcp-bridge is installed, but not set up: see above, and $INSTDIR\setup.log."
      SetErrorLevel 3
    ${EndIf}
  ${EndIf}
SectionEnd

Section Uninstall
  !insertmacro RunBridge 'setup --remove --yes'
  !insertmacro RunBridge 'stop'
  Push "$INSTDIR\cmd"
  Call un.RemoveFromPath
  ; Settings and logs of the user stay, unless they are asked for too.
  ${GetParameters} $0
  ClearErrors
  ${GetOptions} $0 "/PURGE" $1
  ${IfNot} ${Errors}
    RMDir /r "$APPDATA\mcp-bridge"
    RMDir /r "$LOCALAPPDATA\mcp-bridge"
  ${EndIf}
  DeleteRegKey HKCU "${UNINSTALL_KEY}"
  !insertmacro RemoveFiles
  Delete "$INSTDIR\uninstall.exe"
  RMDir "$INSTDIR"
SectionEnd
