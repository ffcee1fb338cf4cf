<?php
// The stock plugin's class, with as little of WordPress around it as its calls need: wordpress.php PLUGIN_FOLDER HOST:PORT
define('AKISMET_VERSION', 'test'); define('ABSPATH', '/'); define('AKISMET__PLUGIN_DIR', '/');
$wp_version = '6.1'; $options = ['home' => 'https://blog.example', 'blog_charset' => 'UTF-8', 'wordpress_api_key' => getenv('AKISMET_KEY')]; $base = $argv[2];
function get_option($n, $d = false) { global $options; return $options[$n] ?? $d; }
function update_option($n, $v) { global $options; $options[$n] = $v; } function delete_option($n) { global $options; unset($options[$n]); }
function apply_filters($n, $v) { return $v; } function do_action() {} function add_action() {} function add_filter() {}
function add_query_arg($k, $v, $q) { return "$q&$k=" . urlencode($v); }
function wp_http_supports() { return true; } function set_url_scheme($u, $s) { return preg_replace('/^http:/', "$s:", $u); }
function wp_filter_comment($c) { return $c; }
class WP_Error {} function is_wp_error($x) { return $x instanceof WP_Error; }
function _http_build_query($d, $p = null, $s = null) { return http_build_query($d, '', '&'); }
function get_locale() { return 'en_US'; } function get_permalink() { return 'https://blog.example/1'; } function get_post() { return (object)['post_modified_gmt' => '2026-11-01 10:00:00']; }
function wp_verify_nonce() { return false; } function current_user_can() { return false; } function wp_next_scheduled() { return true; } function wp_schedule_event() {} function wp_schedule_single_event() {}
function wp_unslash($s) { return is_array($s) ? array_map('wp_unslash', $s) : stripslashes($s); } function __($s) { return $s; }
function wp_remote_post($url, $args) {
  global $base, $tries; $tries[] = $url;
  if (str_starts_with($url, 'https:')) return new WP_Error;                  // no TLS here: the plugin falls back to http
  [$host, $port] = explode(':', $base); $path = parse_url($url, PHP_URL_PATH);
  $s = fsockopen($host, (int)$port); $h = '';
  foreach ($args['headers'] as $k => $v) $h .= "$k: $v\r\n";
  fwrite($s, "POST $path HTTP/{$args['httpversion']}\r\n{$h}Content-Length: " . strlen($args['body']) . "\r\nConnection: close\r\n\r\n{$args['body']}");
  [$head, $body] = explode("\r\n\r\n", stream_get_contents($s), 2); $headers = [];
  foreach (array_slice(explode("\r\n", $head), 1) as $l) { [$k, $v] = explode(': ', $l, 2); $headers[strtolower($k)] = $v; }
  return ['headers' => $headers, 'body' => $body];
}
require $argv[1] . '/class.akismet.php'; require $argv[1] . '/class.akismet-admin.php';
$_SERVER += ['REMOTE_ADDR' => '192.0.2.7', 'HTTP_USER_AGENT' => 'Lynx', 'HTTP_REFERER' => 'https://blog.example/1'];
function is($what, $got, $expected) { if ($got !== $expected) { fwrite(STDERR, "$what: got " . var_export($got, true) . "\n"); exit(1); } }
$key = getenv('AKISMET_KEY'); $thanks = 'Thanks for making the web a better place.';
is('a good key', Akismet::verify_key($key), 'valid');
is('a wrong key', Akismet::verify_key('wrongwrong00'), 'invalid');
is('subscription', Akismet_Admin::get_akismet_user($key)->status, 'active');
$comment = ['comment_post_ID' => 1, 'user_ID' => 0, 'comment_author' => 'Ann Lee', 'comment_author_email' => 'ann@example.org', 'comment_author_url' => '',
  'comment_content' => addslashes("It's \"fine\", the kettle sings before it boils"), 'comment_type' => 'comment', 'comment_parent' => 0];
$checked = Akismet::auto_check_comment($comment);
is('an ordinary comment', $checked['akismet_result'], 'false');
is('spam', Akismet::auto_check_comment(['comment_author' => 'akismet-guaranteed-spam'] + $comment)['akismet_result'], 'true');
$report = Akismet::build_query(wp_unslash($checked['comment_as_submitted']) + ['reporter' => 'ana', 'comment_ID' => 3]);
is('a report of spam', Akismet::http_post($report, 'submit-spam')[1], $thanks);
is('a report of ham', Akismet::http_post($report, 'submit-ham')[1], $thanks);
is('statistics', is_numeric(Akismet_Admin::get_stats($key)['all']->accuracy), true);
is('a key given back', Akismet::deactivate_key($key), 'deactivated');
