<?php
// A real WordPress on the command line: wordpress_blog.php FOLDER COMMAND ARGUMENTS. What it answers is JSON or a page.
[, $folder, $command] = $argv; $rest = array_slice($argv, 3);
$_SERVER = ['HTTP_HOST' => '127.0.0.1', 'REMOTE_ADDR' => '192.0.2.7', 'HTTP_USER_AGENT' => 'Lynx', 'SERVER_PROTOCOL' => 'HTTP/1.1'] + $_SERVER;
error_reporting(E_ALL & ~E_DEPRECATED);
if ($command === 'install') { define('WP_INSTALLING', true); function wp_new_blog_notification() {} }
require "$folder/wp-load.php";
require_once ABSPATH . 'wp-admin/includes/admin.php'; require_once ABSPATH . 'wp-admin/includes/upgrade.php';
switch ($command) {
  case 'install':
    wp_install('Slow Kettle', 'admin', 'admin@blog.example', true, '', 'admin-password');
    foreach (['active_plugins' => ['hamlet/hamlet.php'], 'comment_previously_approved' => 0, 'moderation_notify' => 0, 'comments_notify' => 0] as $name => $value) update_option($name, $value);
    break;
  case 'settings':
    update_option('hamlet', Hamlet\sanitize(['url' => $rest[0], 'api_key' => $rest[1], 'webhook_secret' => $rest[2], 'mode' => $rest[3], 'timeout_seconds' => '10']));
    echo Hamlet\problem();
    break;
  case 'comment':                                        // by its author's name: status, what stands in the record, whether it waits
    $comment = $wpdb->get_row($wpdb->prepare("SELECT * FROM $wpdb->comments WHERE comment_author = %s", $rest[0]));
    $record = $comment ? Hamlet\record((int) $comment->comment_ID) : null;
    echo json_encode($comment ? ['id' => $comment->comment_ID, 'status' => wp_get_comment_status($comment->comment_ID), 'hamlet' => $record->hamlet_id, 'verdict' => $record->verdict,
      'beside' => $record->beside, 'person' => $record->person, 'by' => $record->person_name, 'waits' => $record->request !== null || !$record->person_told] : null);
    break;
  case 'moderate':
    wp_set_current_user(1);
    wp_set_comment_status((int) $rest[0], $rest[1]);
    break;
  case 'resend':
    Hamlet\resend();
    break;
  case 'compare':
    wp_set_current_user(1);
    Hamlet\show_comparison();
    break;
  case 'export':
    foreach (Hamlet\lines(false) as $line) echo $line;
}
